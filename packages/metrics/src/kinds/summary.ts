import type { WallClock } from '../options.js'
import { type ExpositionFormat, formatBound, formatNumber } from '../registry/format.js'
import { Series } from '../registry/series-table.js'
import {
  expectSame,
  type MetricSnapshot,
  type SummarySnapshot,
  toPlain,
} from '../registry/snapshot.js'
import { SlidingSketch } from '../sketch/sliding-sketch.js'
import type { Labels, ResolvedSummary } from './definition.js'
import { Metric, type MetricContext } from './metric.js'
import { startTimer } from './start-timer.js'
import { expectSummable } from './summable.js'

class SummarySeries extends Series {
  count = 0
  sum = 0

  constructor(
    readonly window: SlidingSketch,
    labelValues: readonly string[],
    labelText: string,
  ) {
    super(labelValues, labelText)
  }
}

/** Quantiles of what was observed lately, with the count and sum of everything. */
export class Summary<L extends string = string> extends Metric<SummarySeries> {
  /** The kind of the metric, as Prometheus names it. */
  readonly type = 'summary'
  readonly #quantiles: readonly number[]
  readonly #clock: WallClock

  /** @internal */
  constructor(definition: ResolvedSummary, context: MetricContext) {
    const { windowMs, windowSlices } = definition
    super(definition, context, (values, text) => {
      const window = new SlidingSketch(windowMs, windowSlices, context.clock.now())
      return new SummarySeries(window, values, text)
    })
    this.#quantiles = definition.quantiles
    this.#clock = context.clock
  }

  /** The names of the quantiles, the sum and the count. */
  override get sampleNames(): readonly string[] {
    return [this.name, `${this.name}_sum`, `${this.name}_count`]
  }

  /**
   * Adds `value` to the window of the series without labels.
   *
   * @param value finite
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  observe(value: number): void
  /**
   * Adds `value` to the window of the series of `labels`.
   *
   * @param value finite
   * @throws {@link MetricsError} `INVALID_VALUE`, `INVALID_LABELS`
   */
  observe(labels: Labels<L>, value: number): void
  observe(labelsOrValue: Labels<L> | number, value?: number): void {
    if (typeof labelsOrValue === 'object' && labelsOrValue !== null) {
      const before = this.table.size
      try {
        this.record(this.table.resolve(labelsOrValue), value as number)
      } catch (error) {
        this.forgetIfNew(before, labelsOrValue)
        throw error
      }
    } else this.record(this.table.resolve(undefined), labelsOrValue)
  }

  /**
   * Starts to measure a time in seconds.
   *
   * @param labels of the series; those that are only known at the end go to the function
   * @returns a function that observes the time since, and returns it in seconds
   *
   * @example
   * ```ts
   * const end = seconds.startTimer({ method: 'GET' })
   * end({ status: 200 })
   * ```
   */
  startTimer(labels?: Labels<L>): (more?: Labels<L>) => number {
    return startTimer((seconds, more) => this.observe({ ...labels, ...more } as Labels<L>, seconds))
  }

  /** A handle to one series, for hot paths: it skips the look-up. */
  bind(labels?: Labels<L>): BoundSummary {
    return new BoundSummary(this, labels)
  }

  /** @internal */
  record(series: SummarySeries, value: number): void {
    expectSummable(this.name, series.sum, value)
    series.count++
    series.sum += value
    series.touched = true
    series.window.at(this.#clock.now()).add(value)
  }

  /** @internal */
  override write(series: SummarySeries, format: ExpositionFormat): string {
    const { name } = this
    const { labelText, count, sum } = series
    const braces = labelText && `{${labelText}}`
    const head = `${name}{${labelText && `${labelText},`}quantile="`
    const recent = series.window.total(this.#clock.now())
    let lines = ''
    for (const q of this.#quantiles) {
      lines += `${head}${formatBound(q, format)}"} ${formatNumber(recent.quantile(q))}\n`
    }
    return `${lines}${name}_sum${braces} ${formatNumber(sum)}\n${name}_count${braces} ${count}\n`
  }

  /** @internal */
  override snapshot(from: Iterable<SummarySeries>): SummarySnapshot {
    const { name, help, labelNames } = this
    const nowMs = this.#clock.now()
    const series = Array.from(from, ({ labelValues, count, sum, window }) => {
      const recent = window.total(nowMs)
      return {
        labels: labelValues,
        count,
        sum,
        window: recent.snapshot(),
        quantileValues: this.#quantiles.map((q) => toPlain(recent.quantile(q))),
      }
    })
    return { type: 'summary', name, help, labelNames, quantiles: this.#quantiles, series }
  }

  /** @internal */
  override merge(snapshot: MetricSnapshot): void {
    expectSame(this.name, 'type', this.type, snapshot.type)
    expectSame(this.name, 'labels', this.labelNames, snapshot.labelNames)
    const { quantiles, series } = snapshot as SummarySnapshot
    expectSame(this.name, 'quantiles', this.#quantiles, quantiles)
    for (const { labels, count, sum, window } of series) {
      const target = this.table.resolveValues(labels)
      expectSummable(this.name, target.sum, sum)
      expectSummable(`${this.name}_count`, target.count, count)
      target.count += count
      target.sum += sum
      target.touched = true
      target.window.at(this.#clock.now()).merge(window)
    }
  }
}

/** One series of a summary. */
export class BoundSummary {
  readonly #summary: Summary
  readonly #labels: Labels | undefined
  #series: SummarySeries

  /** @internal */
  constructor(summary: Summary, labels: Labels | undefined) {
    this.#summary = summary
    this.#labels = labels
    this.#series = summary.table.resolve(labels)
  }

  /**
   * Adds `value` to the window.
   *
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  observe(value: number): void {
    let series = this.#series
    if (!series.live) series = this.#series = this.#summary.table.resolve(this.#labels)
    this.#summary.record(series, value)
  }
}
