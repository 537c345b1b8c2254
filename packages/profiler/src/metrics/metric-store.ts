import { InvalidMetricError, MetricNotFoundError } from '../errors.js'
import { createMetric, type MetricCategory, type PerformanceMetric } from './metric.js'

/** Which metrics to get; all of its parts must hold. */
export interface MetricFilter {
  /** Of this name. */
  name?: string | undefined
  /** Of this category. */
  category?: MetricCategory | undefined
  /** Not older than this, in milliseconds since the epoch. */
  since?: number | undefined
  /** Older than this, in milliseconds since the epoch. */
  until?: number | undefined
  /** The newest of those that match. @default all */
  limit?: number | undefined
}

/** Limits of a {@link MetricStore}. */
export interface MetricStoreLimits {
  maxMetrics: number
  metricsRetentionMs: number
}

/** The latest metrics, bounded by number and age. */
export class MetricStore {
  readonly #limits: MetricStoreLimits
  readonly #clock: { now(): number }
  /** By id, in the order of recording, with the number in that order. */
  readonly #metrics = new Map<string, { metric: PerformanceMetric; number: number }>()
  #recorded = 0
  #lastId = 0

  constructor(limits: MetricStoreLimits, clock: { now(): number }) {
    this.#limits = limits
    this.#clock = clock
  }

  /** How many were recorded ever. */
  get recorded(): number {
    return this.#recorded
  }

  /** How many are kept. */
  get size(): number {
    return this.#metrics.size
  }

  /** @throws {@link InvalidMetricError} */
  record(input: unknown): PerformanceMetric {
    const metric = createMetric(input, this.#newId(), this.#clock.now())
    if (this.#metrics.has(metric.id)) {
      throw new InvalidMetricError(
        `A metric with the id ${JSON.stringify(metric.id)} is kept already. Leave id out to get a new one.`,
        { field: 'id' },
      )
    }
    this.#recorded++
    this.#metrics.set(metric.id, { metric, number: this.#recorded })
    if (this.#metrics.size > this.#limits.maxMetrics) this.#deleteOldest()
    return metric
  }

  /** @throws {@link MetricNotFoundError} */
  get(id: string): PerformanceMetric {
    const kept = this.#metrics.get(id)
    if (!kept) throw new MetricNotFoundError(id)
    return kept.metric
  }

  /** The metrics that were recorded after the first `count` ever, whatever their timestamps; oldest first. */
  recordedAfter(count: number): PerformanceMetric[] {
    this.#expire()
    return Array.from(this.#metrics.values()).flatMap(({ metric, number }) =>
      number > count ? metric : [],
    )
  }

  /** The metrics that match, oldest first. */
  find(filter: MetricFilter = {}): PerformanceMetric[] {
    this.#expire()
    const { name, category, since = -Infinity, until = Infinity, limit = Infinity } = filter
    const found = Array.from(this.#metrics.values(), ({ metric }) => metric).filter(
      (metric) =>
        (name === undefined || metric.name === name) &&
        (category === undefined || metric.category === category) &&
        metric.timestamp >= since &&
        metric.timestamp < until,
    )
    return limit < found.length ? found.slice(found.length - limit) : found
  }

  clear(): void {
    this.#metrics.clear()
  }

  /** One that no metric has, not even one that brought its own. */
  #newId(): string {
    do this.#lastId++
    while (this.#metrics.has(`metric-${this.#lastId}`))
    return `metric-${this.#lastId}`
  }

  #expire(): void {
    const oldest = this.#clock.now() - this.#limits.metricsRetentionMs
    // Timestamps may be given, so age does not follow the order of recording.
    for (const [id, { metric }] of this.#metrics) {
      if (metric.timestamp < oldest) this.#metrics.delete(id)
    }
  }

  #deleteOldest(): void {
    const oldest = this.#metrics.keys().next()
    if (!oldest.done) this.#metrics.delete(oldest.value)
  }
}
