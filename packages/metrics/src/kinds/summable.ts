import { wrongValue } from './wrong-value.js'

/**
 * Refuses a value that would make a running sum infinite or NaN, which no later value could repair.
 *
 * @throws {@link MetricsError} `INVALID_VALUE`
 */
export function expectSummable(metric: string, sum: number, value: number): void {
  // `+` also catches what is no number: a string would be concatenated, a BigInt would throw a TypeError.
  if (typeof value === 'number' && Number.isFinite(sum + value)) return
  throw wrongValue(metric, `finite numbers whose sum is finite too (the sum is ${sum})`, value)
}
