import type { ParseArgsConfig } from 'node:util'
import { serviceNamePattern } from '@nexus/process-manager/status'
import { parseArguments, UsageError } from '../arguments.js'

/** Which engine runs the services. */
export type EngineKind = 'native' | 'pm2'

/** The name that means every service. */
export const everyService = 'all'

const ownOptions = { engine: { type: 'string' }, json: { type: 'boolean' } } as const

type Options = NonNullable<ParseArgsConfig['options']>

/** Parses the arguments of a command on services: names, options, and those every such command has. */
export function parseServiceArguments<const T extends Options>(
  args: readonly string[],
  options: T,
  maxNames = Number.POSITIVE_INFINITY,
) {
  const { values, positionals } = parseArguments(args, { ...ownOptions, ...options }, maxNames)
  const { engine = 'native', json = false } = values as { engine?: string; json?: boolean }
  if (engine !== 'native' && engine !== 'pm2') {
    throw new UsageError(`--engine: expected native or pm2, got "${engine}"`)
  }
  // PM2 lets services have other names too.
  if (engine === 'native') for (const name of positionals) checkName(name)
  return { values, names: [...new Set(positionals)], engine: engine as EngineKind, json }
}

function checkName(name: string): void {
  if (serviceNamePattern.test(name)) return
  throw new UsageError(
    `expected the name of a service to be 1 to 64 letters, digits, ".", "_" and "-", beginning with a letter or a digit, got "${name}"`,
  )
}
