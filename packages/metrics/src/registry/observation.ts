import { MetricsError } from '../errors.js'
import type { Counter } from '../kinds/counter.js'
import type { Labels, Observe } from '../kinds/definition.js'
import type { Gauge } from '../kinds/gauge.js'
import type { ValueSeries } from '../kinds/value-series.js'

/** What {@link Observation} asks of the registry. */
export interface ObservationContext {
  timeoutMs: number
  onError: (metrics: readonly string[]) => void
}

/** A metric that a callback can read. */
export type ObservedMetric = Counter | Gauge

/** One call of a reporting function. */
type Report = [metric: ObservedMetric, value: number, labels: Labels | undefined]

/**
 * Metrics whose values a callback reads at scrape time. The values appear together once the callback is
 * done; a label set it no longer reports disappears, and all of them do when it fails. A value
 * that its metric does not take is left out, and counts as a failure of that metric alone.
 */
export class Observation {
  readonly metrics: readonly ObservedMetric[]
  readonly #collect: (observers: readonly Observe[]) => void | Promise<void>
  readonly #context: ObservationContext
  #running: Promise<void> | undefined

  constructor(
    metrics: readonly ObservedMetric[],
    collect: (observers: readonly Observe[]) => void | Promise<void>,
    context: ObservationContext,
  ) {
    this.metrics = metrics
    this.#collect = collect
    this.#context = context
  }

  /**
   * Reads the values. A synchronous callback is done on return; for an asynchronous one a promise that is
   * kept when it is done, failed or late. Runs that overlap share one call.
   */
  run(): void | Promise<void> {
    if (this.#running) return this.#orLate(this.#running)
    const values: Report[] = []
    const observers = this.metrics.map(
      (metric): Observe =>
        (value, labels) => {
          values.push([metric, value, labels])
        },
    )
    try {
      const result = this.#collect(observers)
      if (!(result instanceof Promise)) return this.#publish(values)
      this.#running = result.then(() => this.#publish(values)).catch(() => this.#fail())
      this.#running = this.#running.finally(() => {
        this.#running = undefined
      })
      return this.#orLate(this.#running)
    } catch {
      this.#fail()
    }
  }

  async #orLate(running: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, this.#context.timeoutMs, 'late')
    })
    const outcome = await Promise.race([running, late])
    clearTimeout(timer)
    if (outcome === 'late') this.#fail()
  }

  #publish(values: readonly Report[]): void {
    const observed = new Set<ValueSeries>()
    const refused = new Set<string>()
    for (const [metric, value, labels] of values) {
      try {
        observed.add(metric.show(labels, value))
      } catch (error) {
        if (!(error instanceof MetricsError)) throw error
        refused.add(metric.name)
      }
    }
    for (const metric of this.metrics) metric.table.retain(observed)
    if (refused.size > 0) this.#context.onError([...refused])
  }

  #fail(): void {
    for (const metric of this.metrics) metric.table.retain(new Set())
    this.#context.onError(this.metrics.map((metric) => metric.name))
  }
}
