import type { ExecutionResult } from './execution-result.js'

/** Shorter values would be found everywhere. */
const SHORTEST = 4

/**
 * Takes the values of secrets out of what a call leaves for people to read: its log lines and its
 * error. Each becomes `[secret NAME]`.
 */
export function redactSecrets(
  { logs, error }: Pick<ExecutionResult, 'logs' | 'error'>,
  secrets: Readonly<Record<string, string>>,
): void {
  const hidden = Object.entries(secrets)
    .filter(([, value]) => value.length >= SHORTEST)
    // As it is, and as it stands inside the JSON that `console.log` makes of an object.
    .flatMap(([name, value]) => [
      [name, value] as const,
      [name, JSON.stringify(value).slice(1, -1)] as const,
    ])
    // A secret may contain another.
    .sort(([, a], [, b]) => b.length - a.length)
  if (hidden.length === 0) return
  const redact = (text: string) =>
    hidden.reduce((left, [name, value]) => left.replaceAll(value, `[secret ${name}]`), text)
  for (const entry of logs) {
    entry.message = redact(entry.message)
    if (entry.fields !== undefined) entry.fields = redactFields(entry.fields, redact)
  }
  if (!error) return
  error.message = redact(error.message)
  if (error.stack !== undefined) error.stack = redact(error.stack)
  if (error.cause) error.cause.message = redact(error.cause.message)
}

/** Of what JSON gives. */
function redactFields(value: unknown, redact: (text: string) => string): unknown {
  return JSON.parse(JSON.stringify(value), (_key, inner) => {
    if (typeof inner === 'string') return redact(inner)
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).map(([key, field]) => [redact(key), field]))
  })
}
