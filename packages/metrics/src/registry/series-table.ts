import { MetricsError } from '../errors.js'
import type { Labels } from '../kinds/definition.js'
import type { WallClock } from '../options.js'
import { formatLabels } from './format.js'

/** One label set of a metric, with what was recorded under it. */
export abstract class Series {
  /** Set by every update; the sweep turns it into a time, so that updates need not read the clock. */
  touched = true
  seenMs = 0
  /** False once expired, removed or refused: a handle that holds it looks its series up again. */
  live = true

  constructor(
    readonly labelValues: readonly string[],
    /** `method="GET",route="/"`, escaped once. */
    readonly labelText: string,
  ) {}
}

/** What a table needs to know of the metric it belongs to. */
export interface TableOptions<S extends Series> {
  metric: string
  labelNames: readonly string[]
  maxSeries: number
  expireAfterMs: number | undefined
  clock: WallClock
  create: (labelValues: readonly string[], labelText: string) => S
  onRefused: () => void
}

type Branch<S> = Map<string, Branch<S> | S>

/**
 * The series of one metric by their label values: a tree of maps, one level per label, because looking up
 * three short strings costs less than joining them into a key.
 */
export class SeriesTable<S extends Series> {
  readonly #options: TableOptions<S>
  readonly #names: readonly string[]
  readonly #series = new Set<S>()
  #root: Branch<S> | S | undefined
  /** Takes the updates of label sets that were refused. */
  readonly #refused: S
  #expired = 0

  constructor(options: TableOptions<S>) {
    this.#options = options
    this.#names = options.labelNames
    this.#refused = options.create([], '')
    this.#refused.live = false
  }

  get size(): number {
    return this.#series.size
  }

  /** Series dropped because nothing updated them. */
  get expired(): number {
    return this.#expired
  }

  /** The series that did not expire, oldest first; safe to go on with after series came and went. */
  *live(): Generator<S, void, void> {
    const nowMs = this.#options.clock.now()
    for (const series of this.#series) if (this.#keep(series, nowMs)) yield series
  }

  /**
   * Finds or creates the series of these labels; a series outside the table when the metric is full.
   *
   * @throws {@link MetricsError} `INVALID_LABELS` for a label that the metric does not have
   */
  resolve(labels: Labels | undefined): S {
    const names = this.#names
    let node = this.#root
    let matched = 0
    for (let i = 0; i < names.length; i++) {
      const value = labels?.[names[i]!]
      if (value !== undefined) matched++
      node = (node as Branch<S> | undefined)?.get(typeof value === 'string' ? value : textOf(value))
    }
    if (labels !== undefined) {
      let given = 0
      for (const _ in labels) given++
      if (given !== matched || given === 0) this.#checkLabels(labels)
    }
    return (node as S | undefined) ?? this.#insert(names.map((name) => textOf(labels?.[name])))
  }

  /** Like {@link resolve}, by values in the order of the label names. */
  resolveValues(values: readonly string[]): S {
    return this.#find(values) ?? this.#insert(values)
  }

  /** Removes the series of these labels; false when there was none. */
  remove(labels: Labels | undefined): boolean {
    const series = this.#find(this.#names.map((name) => wellFormed(textOf(labels?.[name]))))
    if (series) this.#remove(series)
    return series !== undefined
  }

  /** Removes every series that is not in `keep`. */
  retain(keep: ReadonlySet<S>): void {
    for (const series of this.#series) if (!keep.has(series)) this.#remove(series)
  }

  #find(values: readonly string[]): S | undefined {
    let node = this.#root
    for (const value of values) node = (node as Branch<S> | undefined)?.get(value)
    return node as S | undefined
  }

  #insert(values: readonly string[]): S {
    const printed = values.map(wellFormed)
    if (printed.some((value, i) => value !== values[i])) return this.resolveValues(printed)
    if (this.#series.size >= this.#options.maxSeries) {
      this.#options.onRefused()
      return this.#refused
    }
    const series = this.#options.create(values, formatLabels(this.#names, values))
    this.#series.add(series)
    if (values.length === 0) this.#root = series
    else this.#branchFor(values).set(values.at(-1)!, series)
    return series
  }

  #branchFor(values: readonly string[]): Branch<S> {
    let branch = (this.#root ?? new Map()) as Branch<S>
    this.#root = branch
    for (const value of values.slice(0, -1)) {
      const next = (branch.get(value) ?? new Map()) as Branch<S>
      branch.set(value, next)
      branch = next
    }
    return branch
  }

  #keep(series: S, nowMs: number): boolean {
    if (series.touched) {
      series.touched = false
      series.seenMs = nowMs
      return true
    }
    const { expireAfterMs } = this.#options
    if (expireAfterMs === undefined || nowMs - series.seenMs < expireAfterMs) return true
    this.#remove(series)
    this.#expired++
    return false
  }

  #remove(series: S): void {
    series.live = false
    this.#series.delete(series)
    const { labelValues } = series
    if (labelValues.length === 0) this.#root = undefined
    else prune(this.#root as Branch<S>, labelValues, 0)
  }

  #checkLabels(labels: Labels): void {
    const prototype = Object.getPrototypeOf(labels)
    if (prototype !== null && prototype !== Object.prototype && Object.keys(labels).length === 0) {
      throw new MetricsError(
        'INVALID_LABELS',
        `Expected labels of ${this.#options.metric} to be an object such as { method: 'GET' }, got a ${prototype.constructor?.name}.`,
        { metric: this.#options.metric, expected: this.#names },
      )
    }
    for (const name in labels) {
      if (this.#names.includes(name)) continue
      const expected = this.#names.length > 0 ? this.#names.join(', ') : 'no labels'
      throw new MetricsError(
        'INVALID_LABELS',
        `${this.#options.metric} has no label "${name}"; expected ${expected}.`,
        { metric: this.#options.metric, label: name, expected: this.#names },
      )
    }
  }
}

const LONE_SURROGATE = /\p{Surrogate}/gu

/** UTF-8 has no lone surrogates: values that differ only there would be written as the same series twice. */
function wellFormed(value: string): string {
  return value.replace(LONE_SURROGATE, '\ufffd')
}

function textOf(value: string | number | boolean | undefined): string {
  return value === undefined ? '' : String(value)
}

/** Deletes a leaf and the branches it leaves empty, which would otherwise grow with every expired series. */
function prune<S>(branch: Branch<S>, path: readonly string[], depth: number): boolean {
  const key = path[depth]!
  if (depth === path.length - 1 || prune(branch.get(key) as Branch<S>, path, depth + 1)) {
    branch.delete(key)
  }
  return branch.size === 0
}
