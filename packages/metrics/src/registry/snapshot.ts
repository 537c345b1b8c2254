import { MetricsError } from '../errors.js'
import type { GaugeAggregation } from '../kinds/definition.js'
import type { Exemplar } from '../kinds/exemplar.js'
import type { SketchSnapshot } from '../sketch/quantile-sketch.js'

/** The kinds of metrics, as Prometheus names them. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

/** A number that survives JSON, which has no NaN and no infinities. */
export type PlainNumber = number | 'NaN' | 'Infinity' | '-Infinity'

interface Family {
  /** Name of the metric. */
  name: string
  /** What it measures, in one line. */
  help: string
  /** Names of its labels; the values of a series stand in the same order. */
  labelNames: readonly string[]
}

/** A counter as plain data. */
export interface CounterSnapshot extends Family {
  /** Tells the kinds of snapshots apart. */
  type: 'counter'
  /** Every series with its total. */
  series: { labels: readonly string[]; value: number; exemplar?: Exemplar }[]
}

/** A gauge as plain data. */
export interface GaugeSnapshot extends Family {
  /** Tells the kinds of snapshots apart. */
  type: 'gauge'
  /** How the values of several threads or processes become one. */
  aggregate: GaugeAggregation
  /** Every series with its value. */
  series: { labels: readonly string[]; value: PlainNumber }[]
}

/** A histogram as plain data; the counts are per bucket, not cumulative. */
export interface HistogramSnapshot extends Family {
  /** Tells the kinds of snapshots apart. */
  type: 'histogram'
  /** Upper bounds, without +Inf. */
  buckets: readonly number[]
  /** Every series with its counts. */
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
  /** Tells the kinds of snapshots apart. */
  type: 'summary'
  /** The quantiles that it exports, each between 0 and 1. */
  quantiles: readonly number[]
  /** Every series with its window. */
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
  /** Version of this format. */
  version: 1
  /** Every metric of the registry. */
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
