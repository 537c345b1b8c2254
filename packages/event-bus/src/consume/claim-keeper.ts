import type { Clock } from '../clock.js'
import type { Claim, GroupConsumer } from '../store/event-store.js'

/** The claims of a subscription that are not settled: keeps them while they are worked on, or gives them back. */
export class ClaimKeeper {
  readonly #clock: Clock
  readonly #ackWaitMs: number
  readonly #onError: (error: unknown) => void
  readonly #claims = new Set<Claim>()
  #cancelHeartbeat: (() => void) | undefined

  constructor(clock: Clock, ackWaitMs: number, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#ackWaitMs = ackWaitMs
    this.#onError = onError
  }

  get size(): number {
    return this.#claims.size
  }

  add(claims: readonly Claim[], consumer: GroupConsumer): void {
    for (const claim of claims) this.#claims.add(claim)
    if (claims.length > 0) this.#heartbeat(consumer)
  }

  delete(claim: Claim): void {
    this.#claims.delete(claim)
  }

  /** Gives back what is left, in order. */
  async giveBack(consumer: GroupConsumer): Promise<void> {
    this.#cancelHeartbeat?.()
    for (const claim of [...this.#claims].sort((a, b) => a.sequence - b.sequence)) {
      try {
        await consumer.settle(claim, { kind: 'release' })
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#claims.clear()
  }

  /** Extends the claims while there are any; an idle subscription has no timer. */
  #heartbeat(consumer: GroupConsumer): void {
    this.#cancelHeartbeat ??= this.#clock.schedule(() => {
      this.#cancelHeartbeat = undefined
      if (this.#claims.size === 0) return
      consumer.extend([...this.#claims])
      this.#heartbeat(consumer)
    }, this.#ackWaitMs / 3)
  }
}
