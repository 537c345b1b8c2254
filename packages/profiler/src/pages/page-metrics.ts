import { InvalidMetricError } from '../errors.js'
import { createMetric, type MetricInput } from '../metrics/metric.js'

/** What a page sends: see `@nexus/profiler/browser`. */
export interface PageMetrics {
  /** Path of the page, without its query. */
  page: string
  /** What it measured. */
  metrics: readonly MetricInput[]
}

/** More than a page collects between two sendings. */
export const MAX_PAGE_METRICS = 500

/** No page measures more than this; a few larger numbers would make a running sum infinite. */
const MAX_PAGE_VALUE = 1e15

/**
 * Checks what came from a page, and gives each metric the page's path and the time of its arrival: the clock
 * of a visitor is not to be trusted.
 *
 * @throws {@link InvalidMetricError}
 */
export function parsePageMetrics(payload: unknown): MetricInput[] {
  const { page, metrics } = (payload ?? {}) as Partial<Record<keyof PageMetrics, unknown>>
  if (typeof page !== 'string' || !Array.isArray(metrics)) {
    throw new InvalidMetricError('Expected { page, metrics } with a text and an array.')
  }
  if (metrics.length > MAX_PAGE_METRICS) {
    throw new InvalidMetricError(
      `Expected at most ${MAX_PAGE_METRICS} metrics from a page at once, got ${metrics.length}.`,
    )
  }
  return metrics.map((input: unknown) => {
    if (typeof input === 'object' && input !== null && 'id' in input) {
      throw new InvalidMetricError('A metric of a page has no id: the server gives it one.', {
        field: 'id',
      })
    }
    const { name, category, value, unit, metadata } = createMetric(input, 'page', 0)
    if (Math.abs(value) > MAX_PAGE_VALUE) {
      throw new InvalidMetricError(
        `Expected value of a page metric to be between -1e15 and 1e15, got ${value}.`,
        { field: 'value' },
      )
    }
    const metric = {
      name,
      category,
      value,
      unit,
      metadata: { ...metadata, page: page.slice(0, 200) },
    }
    // Once more with the path, which may be one key too many: none may be kept of a payload that is wrong.
    createMetric(metric, 'page', 0)
    return metric
  })
}
