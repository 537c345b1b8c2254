import { JetStreamApiError, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream'
import type { RetentionOptions, SweepResult } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import type { IdIndex } from './id-index.js'
import type { EventKey } from './names.js'
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
  readonly #index: IdIndex
  readonly #manager: JetStreamManager
  readonly #limits: RetentionOptions
  readonly #clock: Pick<ServerClock, 'now'>
  /** Sequences that are dead letters, by the last look. */
  #dead = new Set<number>()
  /** Up to here there are dead letters and nothing else. */
  #keptUntil = 0

  constructor(
    state: State,
    index: IdIndex,
    manager: JetStreamManager,
    limits: RetentionOptions,
    clock: Pick<ServerClock, 'now'>,
  ) {
    this.#state = state
    this.#index = index
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
    await this.#remove(free)
    const bytes = free.reduce((sum, { data }) => sum + data.length, 0)
    const left = free.length < surplus.length
    return { events: free.length, bytes, nextMs: left ? HELD_BACK_MS : 0 }
  }

  /** The oldest events beyond the limits, and when the next one will be. Dead letters stay, and do not count. */
  async #surplus(): Promise<{ surplus: StoredMsg[]; nextMs?: number }> {
    const { maxAgeMs, maxBytes = Number.POSITIVE_INFINITY } = this.#limits
    const { maxEvents = Number.POSITIVE_INFINITY } = this.#limits
    const { state } = await this.#manager.streams.info(this.#state.names.events)
    const dead = await this.#deadSequences()
    let messages = state.messages - dead.size
    let { bytes } = state
    const surplus: StoredMsg[] = []
    let at = Math.max(state.first_seq, this.#keptUntil + 1)
    while (surplus.length < WINDOW && at <= state.last_seq) {
      const length = Math.min(WINDOW, state.last_seq - at + 1)
      const sequences = Array.from({ length }, (_, i) => at + i).filter((seq) => !dead.has(seq))
      const oldest = await Promise.all(sequences.map((seq) => this.#state.event(seq)))
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
      at += length
    }
    return { surplus }
  }

  /** Sequences of the events that are dead letters of some group. */
  async #deadSequences(): Promise<Set<number>> {
    const { names } = this.#state
    const subjects = await this.#state.subjects(names.dead('*', '*'))
    const dead = new Set(subjects.map((subject) => Number(names.lastToken(subject))))
    // What was kept as a dead letter may be none any more.
    const isSame = dead.size === this.#dead.size && [...dead].every((seq) => this.#dead.has(seq))
    if (!isSame) this.#keptUntil = 0
    this.#dead = dead
    return dead
  }

  /** At once where that leaves no dead letter out, else one by one. */
  async #remove(free: readonly StoredMsg[]): Promise<void> {
    const { streams } = this.#manager
    const { events } = this.#state.names
    const last = free.at(-1)!.seq
    if ([...this.#dead].every((seq) => seq > last)) {
      await streams.purge(events, { seq: last + 1 })
      return
    }
    await Promise.all(
      free.map(async ({ seq }) => {
        try {
          await streams.deleteMessage(events, seq, false)
        } catch (error) {
          // Another process was faster.
          if (!(error instanceof JetStreamApiError)) throw error
        }
      }),
    )
    this.#keptUntil = last
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
      this.#index.remove(message.json<EventKey>()),
      ...groups.map(({ name }) => this.#state.take(names.delivery(name, message.seq))),
    ])
  }
}
