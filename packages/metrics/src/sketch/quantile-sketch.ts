import { BucketCounts, middleOf } from './bucket-counts.js'

/** A sketch as plain data: buckets as pairs of index and count. */
export interface SketchSnapshot {
  /** Counts of positive numbers by bucket. */
  positive: [index: number, count: number][]
  /** Counts of negative numbers by the bucket of their magnitude. */
  negative: [index: number, count: number][]
  /** How many zeros there were. */
  zeros: number
  /** Smallest value; absent while nothing was added. */
  min?: number
  /** Largest value; absent while nothing was added. */
  max?: number
}

/**
 * Quantiles of any number of finite values in bounded memory, within 0.8 % (for magnitudes from 2^-40 to
 * 2^60). Sketches add up exactly.
 */
export class QuantileSketch {
  readonly #positive = new BucketCounts()
  /** Counts of the magnitudes of values below zero. */
  readonly #negative = new BucketCounts()
  #zeros = 0
  #count = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  /** How many values were added. */
  get count(): number {
    return this.#count
  }

  /** Smallest value; NaN when none was added. */
  get min(): number {
    return this.#count > 0 ? this.#min : Number.NaN
  }

  /** Largest value; NaN when none was added. */
  get max(): number {
    return this.#count > 0 ? this.#max : Number.NaN
  }

  /** Adds a finite value. */
  add(value: number): void {
    this.#count++
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    if (value > 0) this.#positive.add(value)
    else if (value === 0) this.#zeros++
    else this.#negative.add(-value)
  }

  /**
   * The value that a share `q` of all values does not exceed; NaN when there are none.
   *
   * @param q between 0 and 1
   */
  quantile(q: number): number {
    if (this.#count === 0) return Number.NaN
    const rank = Math.max(1, Math.ceil(q * this.#count))
    if (rank === 1) return this.#min
    if (rank === this.#count) return this.#max
    return Math.min(Math.max(this.#valueAt(rank), this.#min), this.#max)
  }

  /** Adds everything that another sketch holds. */
  merge(other: QuantileSketch | SketchSnapshot): void {
    const { positive, negative, zeros, min, max } =
      other instanceof QuantileSketch ? other.snapshot() : other
    for (const [index, count] of positive) {
      this.#positive.addAt(index, count)
      this.#count += count
    }
    for (const [index, count] of negative) {
      this.#negative.addAt(index, count)
      this.#count += count
    }
    this.#zeros += zeros
    this.#count += zeros
    if (min !== undefined) this.#min = Math.min(this.#min, min)
    if (max !== undefined) this.#max = Math.max(this.#max, max)
  }

  /** The sketch as plain data. */
  snapshot(): SketchSnapshot {
    return {
      positive: [...this.#positive.entries()],
      negative: [...this.#negative.entries()],
      zeros: this.#zeros,
      ...(this.#count > 0 && { min: this.#min, max: this.#max }),
    }
  }

  /** Forgets everything, keeping the memory for the next values. */
  clear(): void {
    this.#positive.clear()
    this.#negative.clear()
    this.#zeros = 0
    this.#count = 0
    this.#min = Number.POSITIVE_INFINITY
    this.#max = Number.NEGATIVE_INFINITY
  }

  #valueAt(rank: number): number {
    let seen = 0
    for (const [index, count] of [...this.#negative.entries()].reverse()) {
      seen += count
      if (seen >= rank) return -middleOf(index)
    }
    seen += this.#zeros
    if (seen >= rank) return 0
    for (const [index, count] of this.#positive.entries()) {
      seen += count
      if (seen >= rank) return middleOf(index)
    }
    return this.#max
  }
}
