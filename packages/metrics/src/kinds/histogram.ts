import type { WallClock } from '../options.js'
import { type ExpositionFormat, formatBound, formatNumber } from '../registry/format.js'
import { Series } from '../registry/series-table.js'
import { expectSame, type HistogramSnapshot, type MetricSnapshot } from '../registry/snapshot.js'
import type { Labels, ResolvedHistogram } from './definition.js'
import {
  createExemplar,
  type Exemplar,
  type ExemplarLabels,
  formatExemplar,
  newerExemplar,
} from './exemplar.js'
import { Metric, type MetricContext } from './metric.js'
import { startTimer } from './start-timer.js'
import { expectSummable } from './summable.js'

class HistogramSeries extends Series {
  readonly counts: Float64Array
  sum = 0
  /** The latest exemplar of each bucket. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined

  constructor(buckets: number, labelValues: readonly string[], labelText: string) {
    super(labelValues, labelText)
    this.counts = new Float64Array(buckets)
  }
}

/** How many observations fell below each bound, and their sum. */
export class Histogram<L extends string = string> extends Metric<HistogramSeries> {
  /** The kind of the metric, as Prometheus names it. */
  readonly type = 'histogram'
  /** Upper bounds, inclusive; the last is +Inf. */
  readonly #bounds: Float64Array
  readonly #clock: WallClock

  /** @internal */
  constructor(definition: ResolvedHistogram, context: MetricContext) {
    const bounds = Float64Array.of(...definition.buckets, Number.POSITIVE_INFINITY)
    super(definition, context, (values, text) => new HistogramSeries(bounds.length, values, text))
    this.#bounds = bounds
    this.#clock = context.clock
  }

  /** The names of the buckets, the sum and the count. */
  override get sampleNames(): readonly string[] {
    return [this.name, `${this.name}_bucket`, `${this.name}_sum`, `${this.name}_count`]
  }

  /**
   * Counts `value` in its bucket of the series without labels.
   *
   * @param value finite
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  observe(value: number): void
  /**
   * Counts `value` in its bucket of the series of `labels`.
   *
   * @param labels the values of the labels; one that is missing counts as empty
   * @param value finite
   * @param exemplar labels of one example, such as `{ trace_id }`, that OpenMetrics shows beside the bucket
   * @throws {@link MetricsError} `INVALID_VALUE`, `INVALID_LABELS`, `INVALID_EXEMPLAR`
   */
  observe(labels: Labels<L>, value: number, exemplar?: ExemplarLabels): void
  observe(labelsOrValue: Labels<L> | number, value?: number, exemplar?: ExemplarLabels): void {
    if (typeof labelsOrValue === 'object' && labelsOrValue !== null) {
      const before = this.table.size
      try {
        this.record(this.table.resolve(labelsOrValue), value as number, exemplar)
      } catch (error) {
        this.forgetIfNew(before, labelsOrValue)
        throw error
      }
    } else this.record(this.table.resolve(undefined), labelsOrValue, undefined)
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
  bind(labels?: Labels<L>): BoundHistogram {
    return new BoundHistogram(this, labels)
  }

  /** @internal */
  record(series: HistogramSeries, value: number, exemplar: ExemplarLabels | undefined): void {
    expectSummable(this.name, series.sum, value)
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value <= bounds[middle]!) high = middle
      else low = middle + 1
    }
    if (exemplar) {
      // First, because it may be refused: then nothing is counted.
      const example = createExemplar(exemplar, value, this.#clock.now())
      series.exemplars ??= []
      series.exemplars[low] = example
    }
    series.counts[low]!++
    series.sum += value
    series.touched = true
  }

  /** @internal */
  override write(series: HistogramSeries, format: ExpositionFormat): string {
    const { name } = this
    const { labelText, counts, exemplars } = series
    const braces = labelText && `{${labelText}}`
    // Joined to be flat: it is written once per bucket.
    const head = [name, '_bucket{', labelText && `${labelText},`, 'le="'].join('')
    let lines = ''
    let total = 0
    for (let i = 0; i < counts.length; i++) {
      total += counts[i]!
      const exemplar = format === 'openmetrics' ? formatExemplar(exemplars?.[i]) : ''
      lines += `${head}${formatBound(this.#bounds[i]!, format)}"} ${total}${exemplar}\n`
    }
    return `${lines}${name}_sum${braces} ${formatNumber(series.sum)}\n${name}_count${braces} ${total}\n`
  }

  /** @internal */
  override snapshot(from: Iterable<HistogramSeries>): HistogramSnapshot {
    const { name, help, labelNames } = this
    const series = Array.from(from, ({ labelValues, counts, sum, exemplars }) => ({
      labels: labelValues,
      counts: Array.from(counts),
      sum,
      ...(exemplars && { exemplars: Array.from(exemplars, (exemplar) => exemplar ?? null) }),
    }))
    return { type: 'histogram', name, help, labelNames, buckets: this.#finiteBounds(), series }
  }

  /** @internal */
  override merge(snapshot: MetricSnapshot): void {
    expectSame(this.name, 'type', this.type, snapshot.type)
    expectSame(this.name, 'labels', this.labelNames, snapshot.labelNames)
    const { buckets, series } = snapshot as HistogramSnapshot
    expectSame(this.name, 'buckets', this.#finiteBounds(), buckets)
    for (const { labels, counts, sum, exemplars } of series) {
      const target = this.table.resolveValues(labels)
      expectSummable(this.name, target.sum, sum)
      for (let i = 0; i < target.counts.length; i++) target.counts[i]! += counts[i]!
      exemplars?.forEach((exemplar, i) => {
        if (!exemplar) return
        target.exemplars ??= []
        target.exemplars[i] = newerExemplar(target.exemplars[i], exemplar)
      })
      target.sum += sum
      target.touched = true
    }
  }

  #finiteBounds(): number[] {
    return Array.from(this.#bounds.subarray(0, -1))
  }
}

/** One series of a histogram. */
export class BoundHistogram {
  readonly #histogram: Histogram
  readonly #labels: Labels | undefined
  #series: HistogramSeries

  /** @internal */
  constructor(histogram: Histogram, labels: Labels | undefined) {
    this.#histogram = histogram
    this.#labels = labels
    this.#series = histogram.table.resolve(labels)
  }

  /**
   * Counts `value` in its bucket.
   *
   * @throws {@link MetricsError} `INVALID_VALUE`
   */
  observe(value: number, exemplar?: ExemplarLabels): void {
    let series = this.#series
    if (!series.live) series = this.#series = this.#histogram.table.resolve(this.#labels)
    this.#histogram.record(series, value, exemplar)
  }
}
