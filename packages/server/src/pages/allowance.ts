/** A number of requests in a minute, some of them at once: a bucket of tokens that fills up again. */
export class Allowance {
  readonly #perMinute: number
  readonly #clock: { now(): number }
  #left: number
  #filledMs: number

  constructor(perMinute: number, clock: { now(): number } = Date) {
    this.#perMinute = perMinute
    this.#clock = clock
    this.#left = perMinute
    this.#filledMs = clock.now()
  }

  /** Takes `count`, or says in how many seconds they may be taken. */
  take(count: number): { taken: true } | { taken: false; waitSeconds: number } {
    const nowMs = this.#clock.now()
    const perMs = this.#perMinute / 60_000
    this.#left = Math.min(this.#perMinute, this.#left + (nowMs - this.#filledMs) * perMs)
    this.#filledMs = nowMs
    // More than ever fits at once is taken from a full bucket.
    const needed = Math.min(count, this.#perMinute)
    if (needed > this.#left) {
      return { taken: false, waitSeconds: Math.ceil((needed - this.#left) / perMs / 1000) }
    }
    this.#left -= needed
    return { taken: true }
  }
}
