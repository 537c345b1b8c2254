import type { Clock } from '../../clock.js'
import type { Claim } from '../../store/event-store.js'
import { KeyGate } from './key-gate.js'
import type { RateLimiter } from './rate-limiter.js'

/** What a queue needs of its subscription. */
export interface RunQueueHost {
  clock: Clock
  concurrency: number
  keyOf(claim: Claim): string | undefined
  limiter: RateLimiter | undefined
  /** Handlers of these claims may start. */
  onStart(claims: Claim[]): void
  /** More may be claimed now. */
  onRoom(): void
}

/** Decides which claims may run now: one per ordering key, `concurrency` at once, `maxPerSecond` in a second. */
export class RunQueue {
  /** Handlers that run. */
  running = 0
  /** Claims whose settlement is on its way. */
  settling = 0
  readonly #host: RunQueueHost
  readonly #gate = new KeyGate()
  readonly #runnable: Claim[] = []
  readonly #retries = new Set<() => void>()
  #cancelLimit: (() => void) | undefined
  #closed = false

  constructor(host: RunQueueHost) {
    this.#host = host
  }

  /** How many more may be claimed under the rate limit. */
  get allowed(): number {
    const { limiter } = this.#host
    if (limiter === undefined) return Number.POSITIVE_INFINITY
    const allowed = limiter.available() - this.#runnable.length
    if (allowed <= 0) this.#wakeAfterLimit(limiter)
    return allowed
  }

  add(claims: readonly Claim[]): void {
    for (const claim of claims) {
      const key = this.#host.keyOf(claim)
      if (key === undefined || this.#gate.enter(key, claim)) this.#runnable.push(claim)
    }
    this.start()
  }

  /** Starts what may start. */
  start(): void {
    if (this.#closed) return
    const { limiter, onStart } = this.#host
    const claims: Claim[] = []
    while (this.#runnable.length > 0 && this.#mayStart()) {
      if (limiter !== undefined) {
        if (limiter.available() === 0) {
          this.#wakeAfterLimit(limiter)
          break
        }
        limiter.take(1)
      }
      this.running += 1
      claims.push(this.#runnable.shift()!)
    }
    if (claims.length > 0) onStart(claims)
  }

  /** The event of the claim ended for good: the next one of its key may run. */
  finished(claim: Claim): void {
    const key = this.#host.keyOf(claim)
    const next = key === undefined ? undefined : this.#gate.leave(key)
    if (next !== undefined) this.#runnable.push(next)
  }

  /** Tries a claim again in place: its key stays closed until then. */
  retryAfter(claim: Claim, delayMs: number): void {
    if (this.#closed) return
    const cancel = this.#host.clock.schedule(() => {
      this.#retries.delete(cancel)
      this.#runnable.push(claim)
      this.start()
    }, delayMs)
    this.#retries.add(cancel)
  }

  /** Starts nothing from now on. */
  close(): void {
    this.#closed = true
    for (const cancel of this.#retries) cancel()
    this.#retries.clear()
    this.#cancelLimit?.()
    this.#gate.clear()
    this.#runnable.length = 0
  }

  /** As many settlements may be on their way as handlers run: what a crash repeats is bounded. */
  #mayStart(): boolean {
    const { concurrency } = this.#host
    return this.running < concurrency && this.running + this.settling < 2 * concurrency
  }

  /** Goes on when the rate limit lets the next one through. */
  #wakeAfterLimit(limiter: RateLimiter): void {
    this.#cancelLimit ??= this.#host.clock.schedule(() => {
      this.#cancelLimit = undefined
      this.start()
      this.#host.onRoom()
    }, limiter.waitMs())
  }
}
