import type { JsMsg } from '@nats-io/jetstream'
import type { Arrival } from '../claim/claims.js'
import type { NatsClaim } from '../claim/nats-claim.js'

/** What becomes of the messages of a group's consumer. */
export interface ArrivalsHost {
  ackWaitMs: number
  /** Begins to look what is known of a message. */
  look(message: JsMsg): Arrival
  /** A claim waits here. */
  onClaim(claim: NatsClaim): void
  onFailed(message: JsMsg, error: unknown): void
  /** Tells the server that claims that wait here are still wanted. */
  extend(claims: readonly NatsClaim[]): void
}

/** Makes claims of messages as they arrive, one after the other, so that they stay in order; they wait here to be fetched. */
export class Arrivals {
  readonly #host: ArrivalsHost
  #ready: NatsClaim[] = []
  /** Messages of an earlier opening are left to the server. */
  #epoch = 0
  #arriving = Promise.resolve()
  #heartbeat: NodeJS.Timeout | undefined

  constructor(host: ArrivalsHost) {
    this.#host = host
  }

  /** Claims that wait. */
  get count(): number {
    return this.#ready.length
  }

  /** Takes claims that wait. */
  take(limit = Number.POSITIVE_INFINITY): NatsClaim[] {
    return this.#ready.splice(0, limit)
  }

  add(message: JsMsg): void {
    const epoch = this.#epoch
    const arrival = this.#host.look(message)
    this.#arriving = this.#arriving.then(async () => {
      try {
        if (epoch !== this.#epoch) return
        const claim = await arrival.toClaim()
        if (claim === undefined || epoch !== this.#epoch) return
        this.#ready.push(claim)
        this.#extendLater()
        this.#host.onClaim(claim)
      } catch (error) {
        this.#host.onFailed(message, error)
      } finally {
        arrival.end()
      }
    })
  }

  /** Messages that arrived by now and are no claims yet are left to the server. */
  forget(): void {
    this.#epoch += 1
  }

  /** Resolves when every message that arrived is dealt with. */
  async settled(): Promise<void> {
    await this.#arriving
  }

  close(): void {
    clearTimeout(this.#heartbeat)
  }

  /** What waits here is claimed, too: it must not lapse before it is fetched. */
  #extendLater(): void {
    this.#heartbeat ??= setTimeout(() => {
      this.#heartbeat = undefined
      this.#host.extend(this.#ready)
      if (this.#ready.length > 0) this.#extendLater()
    }, this.#host.ackWaitMs / 3)
  }
}
