import type { Clock } from '../../clock.js'

/** Spreads starts evenly: at most `maxPerSecond` in a second; after a pause at most one second's worth at once. */
export class RateLimiter {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #capacity: number
  #tokens: number
  #at: number

  constructor(perSecond: number, clock: Clock) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#capacity = Math.max(1, perSecond)
    this.#tokens = this.#capacity
    this.#at = clock.monotonic()
  }

  /** How many may go now. */
  available(): number {
    const now = this.#clock.monotonic()
    const earned = ((now - this.#at) * this.#perSecond) / 1000
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned)
    this.#at = now
    return Math.floor(this.#tokens + 1e-9)
  }

  take(count: number): void {
    this.#tokens -= count
  }

  /** Until at least one may go. */
  waitMs(): number {
    return this.available() > 0 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }
}
