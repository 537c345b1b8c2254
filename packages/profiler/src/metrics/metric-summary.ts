import type { MetricCategory, PerformanceMetric } from './metric.js'

/** Metrics of one name and unit, added up. */
export interface MetricSummary {
  name: string
  category: MetricCategory
  unit: string
  count: number
  min: number
  avg: number
  p50: number
  p95: number
  max: number
}

/** Names beyond these are left out of a summary: those recorded least. */
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
      avg: values.reduce((sum, value) => sum + value, 0) / values.length,
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
