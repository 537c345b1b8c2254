import { type Logger, silentLogger } from '@nexus/diagnostics'
import { pino } from 'pino'
import type { RuntimeConfig } from './config/load-config.js'

/** Fields that are secrets whatever their value. */
const SECRET_FIELDS = ['token', 'secret', 'secrets', 'password', 'authorization', 'cookie']
const REDACTED = '[redacted]'

/**
 * The log of a runtime, silent without a `write`. Known secrets of the configuration are taken out of every entry,
 * wherever they stand.
 *
 * @param write gets each entry as one line of JSON
 */
export function openLog(
  config: RuntimeConfig,
  write: ((line: string) => void) | undefined,
): Logger {
  if (!write) return silentLogger
  const secrets = secretsOf(config)
  return pino(
    {
      level: config.log.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: REDACTED,
      },
    },
    { write: (line: string) => write(without(secrets, line)) },
  )
}

/** Every secret that the configuration knows, as it stands in JSON. */
function secretsOf(config: RuntimeConfig): string[] {
  const { token, cacheSecret, dataKey, imageKey, linkKey, webhooks, functions, bus } = config
  const passwords = (bus.urls ?? []).flatMap((url) => {
    const { password } = new URL(url)
    return [password, decodeURIComponent(password)]
  })
  const keys = [dataKey, imageKey, linkKey].flatMap((one) => [
    one?.current,
    ...(one?.previous ?? []),
  ])
  return [
    ...[token, cacheSecret, ...passwords, ...keys],
    ...Object.values(webhooks).flatMap(({ secrets }) => secrets),
    ...functions.flatMap(({ secrets }) => Object.values(secrets)),
  ]
    .filter((secret) => typeof secret === 'string' && secret.length >= 4)
    .map((secret) => JSON.stringify(secret).slice(1, -1))
    .sort((a, b) => b.length - a.length)
}

function without(secrets: readonly string[], line: string): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), line)
}
