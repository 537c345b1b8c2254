import type { ExpositionFormat } from '../registry/format.js'
import {
  expectSame,
  type GaugeSnapshot,
  type MetricSnapshot,
  toPlain,
} from '../registry/snapshot.js'
import type { GaugeAggregation, Labels, ResolvedGauge } from './definition.js'
import { Metric, type MetricContext } from './metric.js'
import { ValueSeries } from './value-series.js'
import { wrongValue } from './wrong-value.js'

/** A value that goes up and down. */
export class Gauge<L extends string = string> extends Metric<ValueSeries> {
  /** The kind of the metric, as Prometheus names it. */
  readonly type = 'gauge'
  readonly #aggregate: GaugeAggregation

  /** @internal */
  constructor(definition: ResolvedGauge, context: MetricContext) {
    super(definition, context, (values, text) => new ValueSeries(definition.name, values, text))
    this.#aggregate = definition.aggregate
  }

  /**
   * Sets the value of the series without labels. NaN and infinities are allowed.
   *
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  set(value: number): void
  /**
   * Sets the value of the series of `labels`. NaN and infinities are allowed.
   *
   * @throws {@link MetricsError} `INVALID_VALUE`, `INVALID_LABELS`
   */
  set(labels: Labels<L>, value: number): void
  set(labelsOrValue: Labels<L> | number, value?: number): void {
    if (typeof labelsOrValue === 'object' && labelsOrValue !== null) {
      this.show(labelsOrValue, value as number)
    } else this.show(undefined, labelsOrValue)
  }

  /**
   * Adds `value` to the series without labels.
   *
   * @param value finite, and so is a finite gauge with it; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  inc(value?: number): void
  /**
   * Adds `value` to the series of `labels`.
   *
   * @param labels the values of the labels; one that is missing counts as empty
   * @param value finite, and so is a finite gauge with it; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`, `INVALID_LABELS`
   */
  inc(labels: Labels<L>, value?: number): void
  inc(labelsOrValue?: Labels<L> | number, value = 1): void {
    if (typeof labelsOrValue === 'object' && labelsOrValue !== null) {
      this.#change(labelsOrValue, value, 1)
    } else this.#change(undefined, orOne(labelsOrValue), 1)
  }

  /**
   * Subtracts `value` from the series without labels.
   *
   * @param value finite, and so is a finite gauge without it; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  dec(value?: number): void
  /**
   * Subtracts `value` from the series of `labels`.
   *
   * @param labels the values of the labels; one that is missing counts as empty
   * @param value finite, and so is a finite gauge without it; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`, `INVALID_LABELS`
   */
  dec(labels: Labels<L>, value?: number): void
  dec(labelsOrValue?: Labels<L> | number, value = 1): void {
    if (typeof labelsOrValue === 'object' && labelsOrValue !== null) {
      this.#change(labelsOrValue, value, -1)
    } else this.#change(undefined, orOne(labelsOrValue), -1)
  }

  /** A handle to one series, for hot paths: it skips the look-up. */
  bind(labels?: Labels<L>): BoundGauge {
    return new BoundGauge(this, labels)
  }

  /** Sets the value of the series of `labels`, also when it was read at scrape time. @internal */
  show(labels: Labels | undefined, value: number): ValueSeries {
    // Before the look-up: a value that is refused must not leave a series that says 0.
    this.#expectNumber(value)
    const series = this.table.resolve(labels)
    this.put(series, value)
    return series
  }

  #change(labels: Labels | undefined, value: number, sign: 1 | -1): void {
    this.#expectFinite(value)
    this.add(this.table.resolve(labels), value, sign)
  }

  #expectNumber(value: number): void {
    if (typeof value !== 'number') throw wrongValue(this.name, 'numbers', value)
  }

  #expectFinite(value: number): void {
    if (!Number.isFinite(value)) throw wrongValue(this.name, 'finite changes', value)
  }

  /** @internal */
  put(series: ValueSeries, value: number): void {
    this.#expectNumber(value)
    series.value = value
    series.touched = true
  }

  /** @internal */
  add(series: ValueSeries, value: number, sign: 1 | -1): void {
    this.#expectFinite(value)
    const changed = series.value + sign * value
    // No later change could repair it. What was set to NaN or an infinity stays so until it is set again.
    if (!Number.isFinite(changed) && Number.isFinite(series.value)) {
      throw wrongValue(this.name, `changes that keep it finite (it is ${series.value})`, value)
    }
    series.value = changed
    series.touched = true
  }

  /** @internal */
  override write(series: ValueSeries, format: ExpositionFormat): string {
    return series.write(format)
  }

  /** @internal */
  override snapshot(from: Iterable<ValueSeries>): GaugeSnapshot {
    const { name, help, labelNames } = this
    const series = Array.from(from, ({ labelValues, value }) => ({
      labels: labelValues,
      value: toPlain(value),
    }))
    return { type: 'gauge', name, help, labelNames, aggregate: this.#aggregate, series }
  }

  /** @internal */
  override merge(snapshot: MetricSnapshot): void {
    expectSame(this.name, 'type', this.type, snapshot.type)
    expectSame(this.name, 'labels', this.labelNames, snapshot.labelNames)
    for (const { labels, value } of (snapshot as GaugeSnapshot).series) {
      const before = this.table.size
      const series = this.table.resolveValues(labels)
      const isNew = this.table.size > before
      series.value = isNew ? Number(value) : this.#combine(series.value, Number(value))
      series.touched = true
    }
  }

  #combine(a: number, b: number): number {
    if (this.#aggregate === 'sum') return a + b
    return this.#aggregate === 'max' ? Math.max(a, b) : Math.min(a, b)
  }
}

/** One series of a gauge. */
export class BoundGauge {
  readonly #gauge: Gauge
  readonly #labels: Labels | undefined
  #series: ValueSeries

  /** @internal */
  constructor(gauge: Gauge, labels: Labels | undefined) {
    this.#gauge = gauge
    this.#labels = labels
    this.#series = gauge.table.resolve(labels)
  }

  /**
   * Sets the value.
   *
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  set(value: number): void {
    this.#gauge.put(this.#current(), value)
  }

  /**
   * Adds `value`.
   *
   * @param value finite, and so is a finite gauge with it; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  inc(value = 1): void {
    this.#gauge.add(this.#current(), value, 1)
  }

  /**
   * Subtracts `value`.
   *
   * @param value finite, and so is a finite gauge without it; 1 when left out or undefined
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  dec(value = 1): void {
    this.#gauge.add(this.#current(), value, -1)
  }

  #current(): ValueSeries {
    if (!this.#series.live) this.#series = this.#gauge.table.resolve(this.#labels)
    return this.#series
  }
}

function orOne<T>(value: T | undefined): T | 1 {
  return value === undefined ? 1 : value
}
