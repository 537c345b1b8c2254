import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream'
import type { Clock, RetentionOptions, SweepResult } from '@nexus/event-bus'
import { type DeliveryState, isFinal, type State } from './state.js'

/** Events removed at once. */
const WINDOW = 100
/** Events that a group holds back are looked at again after this, since it may settle them elsewhere. */
const HELD_BACK_MS = 5_000
/** More than a stream keeps beside subject and payload; what is estimated too large is looked at again. */
const OVERHEAD_BYTES = 256

/** Removes the oldest events beyond the limits, with all that is kept about them. */
export class Retention {
  readonly #state: State
  readonly #manager: JetStreamManager
  readonly #limits: RetentionOptions
  readonly #clock: Clock

  constructor(state: State, manager: JetStreamManager, limits: RetentionOptions, clock: Clock) {
    this.#state = state
    this.#manager = manager
    this.#limits = limits
    this.#clock = clock
  }

  /** Removes up to a window of events; stops at the first that a group still has to do with. */
  async sweep(): Promise<SweepResult> {
    const { surplus, nextMs } = await this.#surplus()
    if (surplus.length === 0) return { events: 0, bytes: 0, nextMs }
    const groups = await this.#state.groups()
    const heldFrom = await this.#heldFrom(surplus, groups)
    const free = surplus.filter(({ seq }) => seq < heldFrom)
    if (free.length === 0) return { events: 0, bytes: 0, nextMs: HELD_BACK_MS }
    // What is known of an event goes first: dying in between leaves the events, which come again.
    await Promise.all(free.map((message) => this.#forget(message, groups)))
    const { purged } = await this.#manager.streams.purge(this.#state.names.events, {
      seq: free.at(-1)!.seq + 1,
    })
    const bytes = free.reduce((sum, { data }) => sum + data.length, 0)
    return { events: purged, bytes, nextMs: free.length < surplus.length ? HELD_BACK_MS : 0 }
  }

  /** The oldest events beyond the limits, and when the next one will be. */
  async #surplus(): Promise<{ surplus: StoredMsg[]; nextMs?: number }> {
    const { maxAgeMs, maxBytes = Number.POSITIVE_INFINITY } = this.#limits
    const { maxEvents = Number.POSITIVE_INFINITY } = this.#limits
    const { state } = await this.#manager.streams.info(this.#state.names.events)
    const length = Math.min(WINDOW, state.messages)
    const oldest = await Promise.all(
      Array.from({ length }, (_, i) => this.#state.event(state.first_seq + i)),
    )
    const surplus: StoredMsg[] = []
    let { messages, bytes } = state
    for (const message of oldest) {
      if (message === undefined) continue
      const ageLeftMs =
        maxAgeMs === undefined
          ? Number.POSITIVE_INFINITY
          : message.time.getTime() + maxAgeMs - this.#clock.now()
      if (messages <= maxEvents && bytes <= maxBytes && ageLeftMs > 0) {
        return { surplus, ...(maxAgeMs !== undefined && { nextMs: ageLeftMs }) }
      }
      surplus.push(message)
      messages -= 1
      bytes -= message.subject.length + message.data.length + OVERHEAD_BYTES
    }
    return { surplus }
  }

  /** Sequence of the first event that some group has not finished with. */
  async #heldFrom(
    surplus: readonly StoredMsg[],
    groups: readonly { name: string }[],
  ): Promise<number> {
    const { events } = this.#state.names
    const heldFrom = await Promise.all(
      groups.map(async ({ name }) => {
        const info = await this.#manager.consumers.info(events, name)
        if (info.num_ack_pending > 0) return info.ack_floor.stream_seq + 1
        return info.num_pending > 0 ? info.delivered.stream_seq + 1 : Number.POSITIVE_INFINITY
      }),
    )
    return Math.min(await this.#firstRedelivery(surplus, groups), ...heldFrom)
  }

  /** The same among events that are to be delivered redelivery, or later: the consumers have done with them. */
  async #firstRedelivery(
    surplus: readonly StoredMsg[],
    groups: readonly { name: string }[],
  ): Promise<number> {
    const { state } = await this.#manager.streams.info(this.#state.names.redelivery)
    if (state.messages === 0) return Number.POSITIVE_INFINITY
    const waiting = await Promise.all(
      surplus.map(async ({ seq }) => {
        const newest = ({ name }: { name: string }) =>
          this.#state.newest(this.#state.names.delivery(name, seq))
        const known = await Promise.all(groups.map(newest))
        return known.some((found) => {
          const delivery = found?.json<DeliveryState>()
          return delivery?.redelivery === true && !isFinal(delivery)
        })
      }),
    )
    return surplus.find((_, i) => waiting[i])?.seq ?? Number.POSITIVE_INFINITY
  }

  async #forget(message: StoredMsg, groups: readonly { name: string }[]): Promise<void> {
    const { names } = this.#state
    await Promise.all([
      this.#state.take(names.idOfEvent(message.subject)),
      ...groups.map(async ({ name }) => {
        const delivery = await this.#state.take<DeliveryState>(names.delivery(name, message.seq))
        if (delivery?.status === 'dead-lettered')
          await this.#state.take(names.dead(name, message.seq))
      }),
    ])
  }
}
