import { MetricsError } from '../errors.js'

/** A value in the words of an error message: numbers as they are, texts in quotes, of all else the type. */
export function describeValue(value: unknown): string {
  if (typeof value === 'number' || value == null) return String(value)
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 50))
  if (typeof value === 'bigint') return 'a BigInt'
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

/** The error for a value that a metric does not take. It reads nothing of the value, which may be any object. */
export function wrongValue(metric: string, expected: string, value: unknown): MetricsError {
  const message = `${metric} takes ${expected}; got ${describeValue(value)}.`
  return new MetricsError('INVALID_VALUE', message, { metric, value })
}
