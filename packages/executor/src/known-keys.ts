import { ExecutorError } from './errors.js'

/**
 * Refuses what nothing reads: an option with a wrong name would silently not hold.
 *
 * @param what the object is called in messages
 * @param hint follows the message
 * @throws ExecutorError `INVALID_OPTIONS` for a key other than `names`, and for what is no object
 */
export function checkKeys(
  what: string,
  value: object,
  names: readonly string[],
  hint?: string,
): void {
  if (typeof value !== 'object' || value === null) {
    throw new ExecutorError('INVALID_OPTIONS', `${what}: expected an object, got ${String(value)}`)
  }
  for (const key in value) {
    if (names.includes(key)) continue
    const message = `Unknown key "${key}" in ${what}: expected ${names.join(', ')}`
    throw new ExecutorError('INVALID_OPTIONS', hint ? `${message}. ${hint}` : message)
  }
}
