const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
const HIGH_WORD = LITTLE_ENDIAN ? 1 : 0
/** Of the 20 bits of the mantissa in the high word, 6 count: 64 buckets for each doubling. */
const DROPPED_BITS = 20 - 6
const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)

/** The bucket of a positive number, read off the bits of the double: adding a value costs no logarithm. */
function indexOf(magnitude: number): number {
  scratch[0] = magnitude
  return words[HIGH_WORD]! >>> DROPPED_BITS
}

function lowerBound(index: number): number {
  words[1 - HIGH_WORD] = 0
  words[HIGH_WORD] = index << DROPPED_BITS
  return scratch[0]!
}

/** Magnitudes outside these count at the edge, which bounds the memory to 6,400 buckets. */
const LOWEST = indexOf(2 ** -40)
const HIGHEST = indexOf(2 ** 60)
/** Buckets are added in steps of one doubling. */
const STEP = 64

/** Counts of positive numbers in buckets that grow with them, so that the middle of each is within 0.8 %. */
export class BucketCounts {
  #counts = new Float64Array(0)
  /** Index of the bucket that `#counts[0]` counts. */
  #first = 0

  add(magnitude: number): void {
    this.addAt(Math.min(Math.max(indexOf(magnitude), LOWEST), HIGHEST), 1)
  }

  addAt(index: number, count: number): void {
    let slot = index - this.#first
    if (slot < 0 || slot >= this.#counts.length) {
      this.#grow(index)
      slot = index - this.#first
    }
    this.#counts[slot]! += count
  }

  /** Index and count of each bucket in use, from the smallest numbers up. */
  *entries(): Generator<[index: number, count: number]> {
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!
      if (count > 0) yield [this.#first + i, count]
    }
  }

  clear(): void {
    this.#counts.fill(0)
  }

  #grow(index: number): void {
    const empty = this.#counts.length === 0
    const from = Math.floor((empty ? index : Math.min(index, this.#first)) / STEP) * STEP
    const last = empty ? index : Math.max(index, this.#first + this.#counts.length - 1)
    const grown = new Float64Array((Math.floor(last / STEP) + 1) * STEP - from)
    if (!empty) grown.set(this.#counts, this.#first - from)
    this.#counts = grown
    this.#first = from
  }
}

/** The number in the middle of a bucket. */
export function middleOf(index: number): number {
  return (lowerBound(index) + lowerBound(index + 1)) / 2
}
