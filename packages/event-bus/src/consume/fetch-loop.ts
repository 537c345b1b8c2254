import type { Clock } from '../clock.js'
import type { Claim, GroupConsumer } from '../store/event-store.js'
import type { ChangeSignal } from './change-signal.js'
import { storeRetryMs } from './store-retry.js'

/** What the loop needs of its subscription. */
export interface FetchLoopHost {
  clock: Clock
  signal: ChangeSignal
  /** How long to let events gather after fewer than wanted came. */
  maxWaitMs: number
  /** How many events to ask for now; 0 or less when there is no room. */
  wanted(): number
  onClaims(claims: readonly Claim[]): void
  onError(error: unknown): void
}

/** Fetches events while there is room for them, until it is stopped. */
export class FetchLoop {
  readonly #host: FetchLoopHost
  #fetching: AbortController | undefined
  #stopped = false

  constructor(host: FetchLoopHost) {
    this.#host = host
  }

  async run(consumer: GroupConsumer): Promise<void> {
    let failures = 0
    while (!this.#stopped) {
      const wanted = this.#host.wanted()
      if (wanted <= 0) {
        await this.#host.signal.wait()
        continue
      }
      this.#fetching = new AbortController()
      try {
        const claims = await consumer.fetch(wanted, this.#fetching.signal)
        failures = 0
        this.#host.onClaims(claims)
        if (claims.length < wanted) await this.#letGather()
      } catch (error) {
        this.#host.onError(error)
        if (!this.#stopped) await this.#host.signal.waitWithin(storeRetryMs(failures))
        failures += 1
      }
    }
  }

  /** Ends the request under way: what it asked for is no longer wanted. */
  interrupt(): void {
    this.#fetching?.abort()
  }

  stop(): void {
    this.#stopped = true
    this.interrupt()
    this.#host.signal.notify()
  }

  /** Lets events gather, so that a trickle is claimed and settled in batches. */
  async #letGather(): Promise<void> {
    const { clock, maxWaitMs, signal } = this.#host
    if (maxWaitMs === 0 || this.#stopped) return
    let over = false
    const cancel = clock.schedule(() => {
      over = true
      signal.notify()
    }, maxWaitMs)
    while (!over && !this.#stopped) await signal.wait()
    cancel()
  }
}
