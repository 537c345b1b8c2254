import { quantile } from '../metrics/metric-summary.js'

/** One look says little: what lasts is what counts. */
const MIN_VALUES = 3

/** The median; undefined for too few values to tell what is typical. */
export function typicalValue(values: readonly number[]): number | undefined {
  if (values.length < MIN_VALUES) return undefined
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}
