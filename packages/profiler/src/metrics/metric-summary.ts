import type { MetricCategory, PerformanceMetric } from './metric.js'

/** The metrics of one name and unit together. */
export interface MetricSummary {
  /** Name of the metrics. */
  name: string
  /** What they are about. */
  category: MetricCategory
  /** Unit of all figures here. */
  unit: string
  /** How many metrics there are. */
  count: number
  /** The smallest value. */
  min: number
  /** Arithmetic mean. */
  avg: number
  /** Half of the values are at most this. */
  p50: number
  /** 95 % of the values are at most this. */
  p95: number
  /** The largest value. */
  max: number
}

/** A summary has this many names at most: those recorded least are left out. */
const MAX_SUMMARIES = 200

/** Adds metrics up by name and unit, the most recorded first. */
export function summarizeMetrics(metrics: readonly PerformanceMetric[]): MetricSummary[] {
  const groups = new Map<string, PerformanceMetric[]>()
  for (const metric of metrics) {
    const key = `${metric.name}\n${metric.unit}`
    const group = groups.get(key)
    if (group) group.push(metric)
    else groups.set(key, [metric])
  }
  return Array.from(groups.values(), (group) => {
    const { name, category, unit } = group[0]!
    const values = group.map(({ value }) => value).sort((a, b) => a - b)
    return {
      name,
      category,
      unit,
      count: values.length,
      min: values[0]!,
      // Divided first: a sum of large values would be infinite.
      avg: values.reduce((mean, value) => mean + value / values.length, 0),
      p50: quantile(values, 0.5),
      p95: quantile(values, 0.95),
      max: values.at(-1)!,
    }
  })
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_SUMMARIES)
}

/** The value that a share `q` of the sorted values does not exceed. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}
