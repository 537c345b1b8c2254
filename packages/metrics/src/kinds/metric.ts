import type { WallClock } from '../options.js'
import type { ExpositionFormat } from '../registry/format.js'
import { type Series, SeriesTable } from '../registry/series-table.js'
import type { MetricSnapshot, MetricType } from '../registry/snapshot.js'
import type { Labels, ResolvedDefinition } from './definition.js'

/** What a metric gets from its registry. */
export interface MetricContext {
  clock: WallClock
  maxSeries: number
  onRefused: (metric: string) => void
}

/** One named metric and its series; the kinds differ in what a series holds. */
export abstract class Metric<S extends Series = Series> {
  /** The kind of the metric, as Prometheus names it. */
  abstract readonly type: MetricType
  /** The name under which it is exported. */
  readonly name: string
  /** What it measures, in one line. */
  readonly help: string
  /** The names of the labels that tell its series apart. */
  readonly labelNames: readonly string[]
  /** @internal */
  readonly table: SeriesTable<S>

  protected constructor(
    definition: ResolvedDefinition,
    context: MetricContext,
    create: (labelValues: readonly string[], labelText: string) => S,
  ) {
    this.name = definition.name
    this.help = definition.help
    this.labelNames = definition.labelNames
    this.table = new SeriesTable({
      metric: definition.name,
      labelNames: definition.labelNames,
      maxSeries: context.maxSeries,
      expireAfterMs: definition.expireAfterMs,
      clock: context.clock,
      create,
      onRefused: () => context.onRefused(definition.name),
    })
  }

  /** Sample names this metric prints, so that no other metric prints them too. */
  get sampleNames(): readonly string[] {
    return [this.name]
  }

  /** Removes the series of these labels; false when there was none. */
  remove(labels?: Labels): boolean {
    return this.table.remove(labels)
  }

  /**
   * Starts again: series with labels are removed, one without is 0, as with prom-client. What a `collect` reads comes back
   * with the next scrape. A rate takes the zero of a total for a restart.
   */
  reset(): void {
    const wasShown = this.table.size > 0
    this.table.retain(new Set())
    // A total without labels is there from the start, at zero, so that a rate sees its first increment. A gauge is there
    // once it was set, and does not go again: no panel or alert loses it.
    const isShown = this.type !== 'gauge' || wasShown
    if (this.labelNames.length === 0 && isShown) this.table.resolve(undefined)
  }

  /** Removes the series that a refused update has made, if it made one: a refused value changes nothing. @internal */
  protected forgetIfNew(sizeBefore: number, labels: Labels): void {
    if (this.table.size > sizeBefore) this.table.remove(labels)
  }

  /** The lines of one series, each ending in a newline. @internal */
  abstract write(series: S, format: ExpositionFormat): string

  /** The metric as plain data, with the given series. @internal */
  abstract snapshot(series: Iterable<S>): MetricSnapshot

  /** The metric with everything recorded, as plain data. */
  toSnapshot(): MetricSnapshot {
    return this.snapshot(this.table.live())
  }

  /** Adds what another registry recorded for the same metric. @internal */
  abstract merge(snapshot: MetricSnapshot): void
}
