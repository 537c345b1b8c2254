import type { Metric as PromMetric, Registry as PromRegistry } from 'prom-client'
import type { Exemplar } from '../kinds/exemplar.js'
import type { Metric } from '../kinds/metric.js'
import type { MetricsRegistry } from '../registry/registry.js'
import type { MetricSnapshot } from '../registry/snapshot.js'

/** One sample as prom-client's registry prints it. */
interface PromValue {
  labels: Record<string, string | number>
  value: number
  metricName?: string
  exemplar?: { labelSet: Record<string, string>; value: number; timestamp: number }
}

/**
 * Shows the metrics of `registry` in an existing prom-client registry, those that are added later too, so that
 * one scrape has both.
 *
 * @returns a function that takes them out again
 * @throws an error of prom-client when it has a metric of the same name
 *
 * @example
 * ```ts
 * registerInPromClient(registry, promClient.register)
 * ```
 */
export function registerInPromClient(registry: MetricsRegistry, target: PromRegistry): () => void {
  const bridged = new Map<Metric, BridgedMetric>()
  // All metrics of a scrape are asked for in one go: one read of the observed ones serves them all.
  let reading: Promise<void> | undefined
  const refresh = () => {
    reading ??= registry.refresh().finally(() => {
      reading = undefined
    })
    return reading
  }
  const remove = (metric: Metric) => {
    const shown = bridged.get(metric)
    if (shown) target.removeSingleMetric(shown.registeredName)
    bridged.delete(metric)
  }
  const removeAll = () => {
    for (const metric of [...bridged.keys()]) remove(metric)
  }
  try {
    const stop = registry.watch({
      onAdd(metric) {
        const shown = new BridgedMetric(metric, refresh)
        // prom-client's registry only asks for `name` and `get()`; its type wants the whole class.
        target.registerMetric(shown as unknown as PromMetric)
        bridged.set(metric, shown)
      },
      onRemove: remove,
    })
    return () => {
      stop()
      removeAll()
    }
  } catch (error) {
    removeAll()
    throw error
  }
}

class BridgedMetric {
  /** prom-client takes `_total` off the name of a counter when it prints OpenMetrics. */
  name: string
  readonly registeredName: string
  readonly help: string
  readonly type: string
  readonly #metric: Metric
  readonly #refresh: () => Promise<void>

  constructor(metric: Metric, refresh: () => Promise<void>) {
    this.name = metric.name
    this.registeredName = metric.name
    this.help = metric.help
    this.type = metric.type
    this.#metric = metric
    this.#refresh = refresh
  }

  async get() {
    await this.#refresh()
    const { name, help, type } = this
    return { name, help, type, values: valuesOf(this.#metric.toSnapshot()), aggregator: 'sum' }
  }

  /** Called by `resetMetrics()` of prom-client. */
  reset(): void {
    this.#metric.reset()
  }
}

function valuesOf(metric: MetricSnapshot): PromValue[] {
  const labelsOf = (values: readonly string[]) =>
    Object.fromEntries(
      metric.labelNames.map((name, i) => [name, values[i]!]).filter(([, value]) => value),
    )
  switch (metric.type) {
    case 'counter':
      return metric.series.map(({ labels, value, exemplar }) => ({
        labels: labelsOf(labels),
        value,
        ...withExemplar(exemplar),
      }))
    case 'gauge':
      return metric.series.map(({ labels, value }) => ({
        labels: labelsOf(labels),
        value: Number(value),
      }))
    case 'histogram':
      return metric.series.flatMap(({ labels, counts, sum, exemplars }) => {
        const own = labelsOf(labels)
        let total = 0
        const buckets = counts.map((count, i): PromValue => {
          total += count
          return {
            metricName: `${metric.name}_bucket`,
            labels: { ...own, le: metric.buckets[i] ?? '+Inf' },
            value: total,
            ...withExemplar(exemplars?.[i]),
          }
        })
        return [...buckets, ...sumAndCount(metric.name, own, sum, total)]
      })
    case 'summary':
      return metric.series.flatMap(({ labels, count, sum, quantileValues }) => {
        const own = labelsOf(labels)
        const quantiles = metric.quantiles.map((quantile, i) => ({
          labels: { ...own, quantile },
          value: Number(quantileValues[i]),
        }))
        return [...quantiles, ...sumAndCount(metric.name, own, sum, count)]
      })
  }
}

function sumAndCount(name: string, labels: Record<string, string>, sum: number, count: number) {
  return [
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

function withExemplar(exemplar: Exemplar | null | undefined): Pick<PromValue, 'exemplar'> {
  if (!exemplar) return {}
  const { labels, value, timestampMs } = exemplar
  return { exemplar: { labelSet: { ...labels }, value, timestamp: timestampMs / 1000 } }
}
