import type { RangeOptions } from '../log/log-engine.js'

type Part = string | number
type Key = Part | Part[]

/** Entries in key order; fast where keys arrive nearly in order, as a log's do. */
export class SortedTable {
  readonly #keys: Key[] = []
  readonly #values: unknown[] = []

  get(key: Key): unknown {
    const at = this.#lowerBound(key)
    return this.#has(at, key) ? this.#values[at] : undefined
  }

  put(key: Key, value: unknown): void {
    const at = this.#lowerBound(key)
    if (this.#has(at, key)) this.#values[at] = value
    else if (at === this.#keys.length) {
      this.#keys.push(key)
      this.#values.push(value)
    } else {
      this.#keys.splice(at, 0, key)
      this.#values.splice(at, 0, value)
    }
  }

  remove(key: Key): void {
    const at = this.#lowerBound(key)
    if (!this.#has(at, key)) return
    this.#keys.splice(at, 1)
    this.#values.splice(at, 1)
  }

  count(options: RangeOptions<Key>): number {
    const [from, to] = this.#bounds(options)
    return Math.min(Math.max(0, to - from), options.limit ?? Number.POSITIVE_INFINITY)
  }

  /** Copied, so that a commit between two steps of a reader does not shift what it reads. */
  range(options: RangeOptions<Key>): { key: Key; value: unknown }[] {
    let [from, to] = this.#bounds(options)
    const limit = options.limit ?? Number.POSITIVE_INFINITY
    if (to - from > limit) {
      if (options.reverse === true) from = to - limit
      else to = from + limit
    }
    const found: { key: Key; value: unknown }[] = []
    for (let i = from; i < to; i++) found.push({ key: this.#keys[i]!, value: this.#values[i] })
    return options.reverse === true ? found.reverse() : found
  }

  #bounds({ start, end, reverse }: RangeOptions<Key>): [from: number, to: number] {
    if (reverse !== true) return [this.#lowerBound(start), this.#lowerBound(end)]
    const last = this.#lowerBound(start)
    const first = this.#lowerBound(end)
    return [this.#has(first, end) ? first + 1 : first, this.#has(last, start) ? last + 1 : last]
  }

  #has(at: number, key: Key): boolean {
    return at < this.#keys.length && compare(this.#keys[at]!, key) === 0
  }

  #lowerBound(key: Key): number {
    const keys = this.#keys
    let low = 0
    let high = keys.length
    if (high > 0 && compare(keys[high - 1]!, key) < 0) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(keys[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function compare(a: Key, b: Key): number {
  if (!Array.isArray(a) || !Array.isArray(b)) return a < b ? -1 : a > b ? 1 : 0
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x !== y) return x < y ? -1 : 1
  }
  return a.length - b.length
}
