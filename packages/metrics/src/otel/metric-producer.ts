import type { Attributes, HrTime } from '@opentelemetry/api'
import type {
  CollectionResult,
  DataPoint,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { MetricsRegistry } from '../registry/registry.js'
import type { HistogramSnapshot, MetricSnapshot, SummarySnapshot } from '../registry/snapshot.js'

/** Enumerations of the SDK as numbers, which OTLP fixes: so the SDK is needed for its types only. */
const HISTOGRAM = 0 as MetricData['dataPointType'] & 0
const GAUGE = 2 as MetricData['dataPointType'] & 2
const SUM = 3 as MetricData['dataPointType'] & 3
const CUMULATIVE = 1 as MetricData['aggregationTemporality'] & 1
const DOUBLE = 1 as MetricData['descriptor']['valueType'] & 1

const SCOPE = { name: '@nexus/metrics' }

/**
 * Makes a registry readable by the OpenTelemetry SDK: pass it as one of the `metricProducers` of a metric
 * reader, and its exporter sends these metrics too. A summary becomes a gauge per quantile with the sum and
 * count beside it; values that are not finite are left out.
 *
 * @example
 * ```ts
 * new PeriodicExportingMetricReader({ exporter, metricProducers: [createMetricProducer(registry)] })
 * ```
 */
export function createMetricProducer(registry: MetricsRegistry): MetricProducer {
  return {
    async collect(): Promise<CollectionResult> {
      await registry.refresh()
      const times = {
        startTime: hrTime(registry.getStats().startedMs),
        endTime: hrTime(Date.now()),
      }
      const metrics = registry.metrics().flatMap((metric) => convert(metric.toSnapshot(), times))
      const scopeMetrics = metrics.length > 0 ? [{ scope: SCOPE, metrics }] : []
      return { resourceMetrics: { resource: NO_RESOURCE, scopeMetrics }, errors: [] }
    },
  }
}

/** The reader puts its own resource in place of this. */
const NO_RESOURCE: CollectionResult['resourceMetrics']['resource'] = {
  attributes: {},
  merge: (other) => other ?? NO_RESOURCE,
  getRawAttributes: () => [],
}

interface Times {
  startTime: HrTime
  endTime: HrTime
}

function convert(metric: MetricSnapshot, times: Times): MetricData[] {
  if (metric.series.length === 0) return []
  switch (metric.type) {
    case 'counter':
      return [sum(metric, metric.name.slice(0, -'_total'.length), metric.series, times)]
    case 'gauge':
      return [gauge(metric, metric.series, times)]
    case 'histogram':
      return [histogram(metric, times)]
    case 'summary':
      return summary(metric, times)
  }
}

interface Value {
  labels: readonly string[]
  value: number | string
  quantile?: number
}

function points(metric: MetricSnapshot, values: readonly Value[], times: Times) {
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(
      ({ labels, value, quantile }): DataPoint<number> => ({
        ...times,
        attributes: {
          ...attributesOf(metric, labels),
          ...(quantile !== undefined && { quantile: String(quantile) }),
        },
        value: Number(value),
      }),
    )
}

function sum(
  metric: MetricSnapshot,
  name: string,
  values: readonly Value[],
  times: Times,
): MetricData {
  return {
    descriptor: descriptor(metric, name),
    dataPointType: SUM,
    aggregationTemporality: CUMULATIVE,
    isMonotonic: true,
    dataPoints: points(metric, values, times),
  }
}

function gauge(metric: MetricSnapshot, values: readonly Value[], times: Times): MetricData {
  return {
    descriptor: descriptor(metric, metric.name),
    dataPointType: GAUGE,
    aggregationTemporality: CUMULATIVE,
    dataPoints: points(metric, values, times),
  }
}

function histogram(metric: HistogramSnapshot, times: Times): MetricData {
  return {
    descriptor: descriptor(metric, metric.name),
    dataPointType: HISTOGRAM,
    aggregationTemporality: CUMULATIVE,
    dataPoints: metric.series.map(({ labels, counts, sum }) => ({
      ...times,
      attributes: attributesOf(metric, labels),
      value: {
        buckets: { boundaries: [...metric.buckets], counts },
        sum,
        count: counts.reduce((total, count) => total + count, 0),
      },
    })),
  }
}

function summary(metric: SummarySnapshot, times: Times): MetricData[] {
  const quantiles = metric.series.flatMap(({ labels, quantileValues }) =>
    quantileValues.map((value, i) => ({ labels, value, quantile: metric.quantiles[i]! })),
  )
  const values = (of: 'sum' | 'count') =>
    metric.series.map((series) => ({ labels: series.labels, value: series[of] }))
  return [
    gauge(metric, quantiles, times),
    sum(metric, `${metric.name}_sum`, values('sum'), times),
    sum(metric, `${metric.name}_count`, values('count'), times),
  ]
}

function descriptor(metric: MetricSnapshot, name: string): MetricData['descriptor'] {
  return { name, description: metric.help, unit: unitOf(name), valueType: DOUBLE }
}

/** The unit that the name tells by convention, as UCUM spells it. */
function unitOf(name: string): string {
  if (name.endsWith('_seconds')) return 's'
  if (name.endsWith('_bytes')) return 'By'
  return name.endsWith('_ratio') ? '1' : ''
}

function attributesOf(metric: MetricSnapshot, labels: readonly string[]): Attributes {
  return Object.fromEntries(
    metric.labelNames.map((name, i) => [name, labels[i]]).filter(([, value]) => value),
  )
}

function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000)
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)]
}
