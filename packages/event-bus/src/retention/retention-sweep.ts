import type { Clock } from '../clock.js'

/** What one look at the oldest events did. */
export interface SweepResult {
  /** Events that were removed. */
  events: number
  /** UTF-8 bytes of their JSON. */
  bytes: number
  /** Until another look is worth it, when nothing happens before; 0 when there is more to remove now. */
  nextMs?: number | undefined
}

/** Changes within this time are looked at together. */
const GATHER_MS = 200
/** The age of the oldest event is looked at no more often. */
const SHORTEST_WAIT_MS = 1_000
/** Wait after a look that failed. */
const FAILED_MS = 5_000

/**
 * Says when a store on a server has to look for events that exceed its limits: soon after something was stored
 * or settled here, and when the oldest event becomes too old.
 */
export class RetentionSweep {
  /** Removed by this process since the store was opened. */
  readonly removed = { events: 0, bytes: 0 }
  readonly #clock: Clock
  readonly #sweep: () => Promise<SweepResult>
  readonly #onError: (error: unknown) => void
  #running: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #dueAtMs = Number.POSITIVE_INFINITY
  /** Something changed while a look was under way, which may have missed it. */
  #nudged = false
  #closed = false

  /** @param sweep removes some of the events that exceed the limits, the oldest first, and none that a group needs */
  constructor(clock: Clock, sweep: () => Promise<SweepResult>, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#sweep = sweep
    this.#onError = onError
  }

  /** Something was stored or settled. */
  nudge(): void {
    this.#lookWithin(GATHER_MS)
  }

  /** Waits for a look that is under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.#running
  }

  #lookWithin(ms: number): void {
    const dueAtMs = this.#clock.monotonic() + ms
    if (this.#running !== undefined) this.#nudged = true
    if (this.#closed || this.#running !== undefined || dueAtMs >= this.#dueAtMs) return
    this.#cancel?.()
    this.#dueAtMs = dueAtMs
    this.#cancel = this.#clock.schedule(() => this.#look(), ms)
  }

  #look(): void {
    this.#dueAtMs = Number.POSITIVE_INFINITY
    this.#nudged = false
    this.#running = this.#removeAll().then((nextMs) => {
      this.#running = undefined
      if (this.#nudged) this.#lookWithin(GATHER_MS)
      else if (nextMs !== undefined) this.#lookWithin(Math.max(SHORTEST_WAIT_MS, nextMs))
    })
  }

  async #removeAll(): Promise<number | undefined> {
    try {
      for (;;) {
        const { events, bytes, nextMs } = await this.#sweep()
        this.removed.events += events
        this.removed.bytes += bytes
        if (nextMs !== 0 || this.#closed) return nextMs
      }
    } catch (error) {
      this.#onError(error)
      return FAILED_MS
    }
  }
}
