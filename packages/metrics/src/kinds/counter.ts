import type { WallClock } from '../options.js'
import type { ExpositionFormat } from '../registry/format.js'
import { type CounterSnapshot, expectSame, type MetricSnapshot } from '../registry/snapshot.js'
import type { Labels, ResolvedCounter } from './definition.js'
import { createExemplar, type ExemplarLabels, newerExemplar } from './exemplar.js'
import { Metric, type MetricContext } from './metric.js'
import { ValueSeries } from './value-series.js'
import { wrongValue } from './wrong-value.js'

const GROWTH = 'numbers ≥ 0 that keep its total finite (a gauge is for what goes down)'

/** A total that only grows. */
export class Counter<L extends string = string> extends Metric<ValueSeries> {
  /** The kind of the metric, as Prometheus names it. */
  readonly type = 'counter'
  readonly #clock: WallClock

  /** @internal */
  constructor(definition: ResolvedCounter, context: MetricContext) {
    super(definition, context, (values, text) => new ValueSeries(definition.name, values, text))
    this.#clock = context.clock
  }

  /** OpenMetrics names the counter `jobs_total` by its family, `jobs`. */
  override get sampleNames(): readonly string[] {
    return [this.name, this.name.slice(0, -'_total'.length)]
  }

  /**
   * Adds `value` to the series without labels.
   *
   * @param value finite and not negative; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  inc(value?: number): void
  /**
   * Adds `value` to the series of `labels`.
   *
   * @param labels the values of the labels; one that is missing counts as empty
   * @param value finite and not negative; 1 when left out or undefined
   * @param exemplar labels of one example, such as `{ trace_id }`, that OpenMetrics shows beside the total
   * @throws {@link MetricsError} `INVALID_VALUE`, `INVALID_LABELS`, `INVALID_EXEMPLAR`
   */
  inc(labels: Labels<L>, value?: number, exemplar?: ExemplarLabels): void
  inc(labelsOrValue?: Labels<L> | number, value = 1, exemplar?: ExemplarLabels): void {
    if (typeof labelsOrValue === 'object' && labelsOrValue !== null) {
      const before = this.table.size
      try {
        this.add(this.table.resolve(labelsOrValue), value, exemplar)
      } catch (error) {
        this.forgetIfNew(before, labelsOrValue)
        throw error
      }
    } else {
      const given = labelsOrValue === undefined ? 1 : labelsOrValue
      this.add(this.table.resolve(undefined), given, undefined)
    }
  }

  /** A handle to one series, for hot paths: it skips the look-up. */
  bind(labels?: Labels<L>): BoundCounter {
    return new BoundCounter(this, labels)
  }

  /** @internal */
  add(series: ValueSeries, value: number, exemplar: ExemplarLabels | undefined): void {
    if (
      typeof value !== 'number' ||
      !(value >= 0 && series.value + value < Number.POSITIVE_INFINITY)
    ) {
      throw wrongValue(this.name, GROWTH, value)
    }
    // First, because it may be refused: then nothing is counted.
    if (exemplar) series.exemplar = createExemplar(exemplar, value, this.#clock.now())
    series.value += value
    series.touched = true
  }

  /** Shows a total that was read at scrape time. @internal */
  show(labels: Labels | undefined, value: number): ValueSeries {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw wrongValue(this.name, 'totals that are finite numbers ≥ 0', value)
    }
    const series = this.table.resolve(labels)
    series.value = value
    series.touched = true
    return series
  }

  /** @internal */
  override write(series: ValueSeries, format: ExpositionFormat): string {
    return series.write(format)
  }

  /** @internal */
  override snapshot(from: Iterable<ValueSeries>): CounterSnapshot {
    const { name, help, labelNames } = this
    const series = Array.from(from, ({ labelValues, value, exemplar }) => ({
      labels: labelValues,
      value,
      ...(exemplar && { exemplar }),
    }))
    return { type: 'counter', name, help, labelNames, series }
  }

  /** @internal */
  override merge(snapshot: MetricSnapshot): void {
    expectSame(this.name, 'type', this.type, snapshot.type)
    expectSame(this.name, 'labels', this.labelNames, snapshot.labelNames)
    for (const { labels, value, exemplar } of (snapshot as CounterSnapshot).series) {
      const series = this.table.resolveValues(labels)
      this.add(series, value, undefined)
      series.exemplar = newerExemplar(series.exemplar, exemplar)
    }
  }
}

/** One series of a counter. */
export class BoundCounter {
  readonly #counter: Counter
  readonly #labels: Labels | undefined
  #series: ValueSeries

  /** @internal */
  constructor(counter: Counter, labels: Labels | undefined) {
    this.#counter = counter
    this.#labels = labels
    this.#series = counter.table.resolve(labels)
  }

  /**
   * Adds `value`.
   *
   * @param value finite and not negative; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  inc(value = 1, exemplar?: ExemplarLabels): void {
    let series = this.#series
    if (!series.live) series = this.#series = this.#counter.table.resolve(this.#labels)
    this.#counter.add(series, value, exemplar)
  }
}
