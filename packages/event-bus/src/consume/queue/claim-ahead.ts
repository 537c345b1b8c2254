/** What is claimed ahead should be started within this time; otherwise another consumer may be faster. */
const START_WITHIN_MS = 100
/** Weight of the newest duration in the mean. */
const WEIGHT = 0.1

/**
 * How many events a consumer claims before a handler is free for them. Short handlers save requests this way. With
 * long ones, events would wait here while other consumers of the group are idle.
 */
export class ClaimAhead {
  readonly #concurrency: number
  readonly #batchSize: number
  #meanMs: number | undefined

  constructor(concurrency: number, batchSize: number) {
    this.#concurrency = concurrency
    this.#batchSize = batchSize
  }

  /** Events to claim in addition to those that handlers run; 0 until the first handler has ended. */
  get events(): number {
    if (this.#meanMs === undefined) return 0
    const starts = (this.#concurrency * START_WITHIN_MS) / this.#meanMs
    return Math.floor(Math.min(this.#batchSize, starts))
  }

  /** A handler ran for this long. */
  ran(durationMs: number): void {
    this.#meanMs ??= durationMs
    this.#meanMs += WEIGHT * (durationMs - this.#meanMs)
  }
}
