import type { SequenceRange } from './sequence-range.js'

/**
 * Looks for the first event of a range that was stored at a time or later, by halving the range. The store answers each
 * look, at once or later. Times have to rise with the sequence; sequences may be missing.
 *
 * @example
 * ```ts
 * const search = new TimeSearch({ from: first, to: last }, since)
 * for (let look = search.look; look !== undefined; look = search.look) {
 *   search.found(await firstEventBetween(look.from, look.to))
 * }
 * return search.sequence
 * ```
 */
export class TimeSearch {
  readonly #wantedMs: number
  #low: number
  /** Known to be stored at the time or later, or one past the range. */
  #high: number
  #middle = 0

  constructor({ from, to }: SequenceRange, time: string | Date) {
    this.#wantedMs = new Date(time).getTime()
    this.#low = from
    this.#high = to + 1
  }

  /** Where to look for the first event that is there; undefined when the search is over. */
  get look(): SequenceRange | undefined {
    if (this.#low >= this.#high) return undefined
    this.#middle = Math.floor((this.#low + this.#high) / 2)
    return { from: this.#middle, to: this.#high - 1 }
  }

  /** Takes the first event of the last `look`, if there is any. */
  found(event: { sequence: number; publishedAtMs: number } | undefined): void {
    const isEarlier = event !== undefined && event.publishedAtMs < this.#wantedMs
    if (isEarlier) this.#low = event.sequence + 1
    else this.#high = this.#middle
  }

  /** The result: where the events begin that were stored at the time or later; one past the range when there is none. */
  get sequence(): number {
    return this.#low
  }
}
