/** Random choices that are the same in every run with the same seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** Between 0 and 1. */
  next(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  pick<T>(items: ArrayLike<T>): T {
    return items[this.below(items.length)]!
  }

  text(alphabet: ArrayLike<string>, maxLength: number): string {
    return Array.from({ length: this.below(maxLength + 1) }, () => this.pick(alphabet)).join('')
  }
}
