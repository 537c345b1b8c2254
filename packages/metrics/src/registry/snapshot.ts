import { MetricsError } from '../errors.js'
import type { GaugeAggregation } from '../kinds/definition.js'
import type { Exemplar } from '../kinds/exemplar.js'
import type { SketchSnapshot } from '../sketch/quantile-sketch.js'

/** The kinds of metrics, as Prometheus names them. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

/** A number that survives JSON, which has no NaN and no infinities. */
export type PlainNumber = number | 'NaN' | 'Infinity' | '-Infinity'

interface Family {
  name: string
  help: string
  labelNames: readonly string[]
}

/** A counter as plain data. */
export interface CounterSnapshot extends Family {
  type: 'counter'
  series: { labels: readonly string[]; value: number; exemplar?: Exemplar }[]
}

/** A gauge as plain data. */
export interface GaugeSnapshot extends Family {
  type: 'gauge'
  aggregate: GaugeAggregation
  series: { labels: readonly string[]; value: PlainNumber }[]
}

/** A histogram as plain data; the counts are per bucket, not cumulative. */
export interface HistogramSnapshot extends Family {
  type: 'histogram'
  /** Upper bounds, without +Inf. */
  buckets: readonly number[]
  series: {
    labels: readonly string[]
    counts: number[]
    sum: number
    /** The latest of each bucket. */
    exemplars?: (Exemplar | null)[]
  }[]
}

/** A summary as plain data. */
export interface SummarySnapshot extends Family {
  type: 'summary'
  quantiles: readonly number[]
  series: {
    labels: readonly string[]
    count: number
    sum: number
    /** What the quantiles are taken from. */
    window: SketchSnapshot
    /** The quantiles themselves, for those who only show them. */
    quantileValues: PlainNumber[]
  }[]
}

/** One metric as plain data. */
export type MetricSnapshot = CounterSnapshot | GaugeSnapshot | HistogramSnapshot | SummarySnapshot

/** Everything a registry holds, as plain data that survives `postMessage` and JSON. */
export interface RegistrySnapshot {
  version: 1
  metrics: MetricSnapshot[]
}

export function toPlain(value: number): PlainNumber {
  return Number.isFinite(value) ? value : (String(value) as PlainNumber)
}

/** @throws {@link MetricsError} `INVALID_SNAPSHOT` when the two registries mean different metrics by one name */
export function expectSame(metric: string, what: string, ours: unknown, theirs: unknown): void {
  const [expected, got] = [JSON.stringify(ours), JSON.stringify(theirs)]
  if (expected === got) return
  throw new MetricsError(
    'INVALID_SNAPSHOT',
    `${metric} has ${what} ${expected} here and ${got} in the snapshot. Define it the same in both.`,
    { metric, expected: ours, got: theirs },
  )
}
