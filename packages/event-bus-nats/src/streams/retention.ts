import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream'
import type { RetentionOptions, SweepResult } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import { consumerName } from './consumer-name.js'
import type { EventMessage, Events } from './events.js'
import type { IdIndex } from './id-index.js'
import type { EventKey } from './names.js'
import { type DeliveryState, isAbout, isFinal, type State } from './state.js'

/** Events removed at once. */
const WINDOW = 100
/** Events that a group holds back are looked at again after this, since it may settle them elsewhere. */
const HELD_BACK_MS = 5_000
/** Compare at most this many waiting events with their records; more of them stay until their message is gone. */
const MAX_LOOKED_AT = 1_000
/** More than a stream keeps beside subject and payload; what is estimated too large is looked at again. */
const OVERHEAD_BYTES = 256

/** Removes the oldest events that are over the limits, with all that is stored about them. */
export class Retention {
  readonly #state: State
  readonly #events: Events
  readonly #index: IdIndex
  readonly #manager: JetStreamManager
  readonly #limits: RetentionOptions
  readonly #clock: Pick<ServerClock, 'now'>
  /** Sequences of dead letters, and of events that the redelivery stream still has to do with, by the last look. */
  #dead: ReadonlySet<number> = new Set()
  #waiting: ReadonlySet<number> = new Set()
  /** State of the redelivery stream by the last look. */
  #waitingAt = ''
  /** Up to here there is nothing but these. */
  #keptUntil = 0

  constructor(
    state: State,
    events: Events,
    index: IdIndex,
    manager: JetStreamManager,
    limits: RetentionOptions,
    clock: Pick<ServerClock, 'now'>,
  ) {
    this.#state = state
    this.#events = events
    this.#index = index
    this.#manager = manager
    this.#limits = limits
    this.#clock = clock
  }

  /** Removes up to a window of events; stops at the first that a consumer has not settled. */
  async sweep(): Promise<SweepResult> {
    const { surplus, nextMs } = await this.#surplus()
    if (surplus.length === 0) return { events: 0, bytes: 0, nextMs }
    const groups = await this.#state.groups()
    const heldFrom = await this.#heldFrom(groups)
    const waits = await this.#waitsOf(surplus, groups)
    const free = surplus.filter(({ sequence }, i) => sequence < heldFrom && !waits[i])
    if (free.length === 0) return { events: 0, bytes: 0, nextMs: HELD_BACK_MS }
    // What is known of an event goes first: dying in between leaves the events, which come again.
    await Promise.all(free.map((event) => this.#forget(event, groups)))
    await this.#remove(free, free.length === surplus.length || !waits.includes(true))
    const bytes = free.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0)
    const left = free.length < surplus.length
    return { events: free.length, bytes, nextMs: left ? HELD_BACK_MS : 0 }
  }

  /**
   * The oldest events that are over the limits, and when the next one will be. What is a dead letter or waits stays, and does
   * not count.
   */
  async #surplus(): Promise<{ surplus: EventMessage[]; nextMs?: number }> {
    const { maxAgeMs, maxBytes = Number.POSITIVE_INFINITY } = this.#limits
    const { maxEvents = Number.POSITIVE_INFINITY } = this.#limits
    const range = await this.#events.range()
    await this.#look()
    const staying = new Set([...this.#dead, ...this.#waiting])
    let count = range.count - staying.size
    let { bytes } = range
    const surplus: EventMessage[] = []
    let at = Math.max(range.first, this.#keptUntil + 1)
    while (surplus.length < WINDOW && at <= range.last) {
      for (const event of await this.#events.window(range, at, range.last, WINDOW)) {
        if (staying.has(event.sequence)) continue
        const ageLeftMs =
          maxAgeMs === undefined
            ? Number.POSITIVE_INFINITY
            : event.time.getTime() + maxAgeMs - this.#clock.now()
        if (count <= maxEvents && bytes <= maxBytes && ageLeftMs > 0) {
          return { surplus, ...(maxAgeMs !== undefined && { nextMs: ageLeftMs }) }
        }
        surplus.push(event)
        count -= 1
        if (event.erased === undefined) {
          bytes -= event.type.length + Buffer.byteLength(event.json) + OVERHEAD_BYTES
        }
      }
      at += WINDOW
    }
    return { surplus }
  }

  /** What is a dead letter, or waits, may be removed later. */
  async #look(): Promise<void> {
    const { names } = this.#state
    const dead = this.#sequencesOf(await this.#state.subjects(names.dead('*', '*')))
    const { state } = await this.#manager.streams.info(names.redelivery)
    const waitingAt = `${state.messages} ${state.last_seq}`
    const isSame = dead.size === this.#dead.size && [...dead].every((seq) => this.#dead.has(seq))
    this.#dead = dead
    if (!isSame || waitingAt !== this.#waitingAt) this.#keptUntil = 0
    if (waitingAt === this.#waitingAt) return
    const filters = [
      names.redeliveryOf('*', '*'),
      names.delayedOf('*', '*'),
      names.parkedOf('*', '*'),
    ]
    const subjects = await Promise.all(
      filters.map((filter) => this.#state.subjects(filter, names.redelivery)),
    )
    this.#waiting = this.#sequencesOf(await this.#openOf(subjects.flat()))
    this.#waitingAt = waitingAt
  }

  /** Without those whose event was handled meanwhile, by a replay; many are not looked at one by one. */
  async #openOf(subjects: readonly string[]): Promise<string[]> {
    if (subjects.length > MAX_LOOKED_AT) return [...subjects]
    const { names } = this.#state
    const isOpen = await Promise.all(
      subjects.map(async (subject) => {
        const [group, sequence] = subject.split('.').slice(-2)
        const found = await this.#state.newest(names.delivery(group!, Number(sequence)))
        return found === undefined || !isFinal(found.json<DeliveryState>())
      }),
    )
    return subjects.filter((_, i) => isOpen[i])
  }

  #sequencesOf(subjects: readonly string[]): Set<number> {
    return new Set(subjects.map((subject) => Number(this.#state.names.lastToken(subject))))
  }

  /** At once where that leaves nothing out, else one by one. */
  async #remove(free: readonly EventMessage[], isWhole: boolean): Promise<void> {
    const { streams } = this.#manager
    const { events } = this.#state.names
    const last = free.at(-1)!.sequence
    if (![...this.#dead, ...this.#waiting].some((seq) => seq <= last) && isWhole) {
      await streams.purge(events, { seq: last + 1 })
      return
    }
    await Promise.all(
      free.map(async ({ sequence }) => {
        try {
          await streams.deleteMessage(events, sequence, false)
        } catch (error) {
          // Another process was faster.
          if (!(error instanceof JetStreamApiError)) throw error
        }
      }),
    )
    if (isWhole) this.#keptUntil = last
  }

  /** Sequence of the first event that the consumer of some group has not settled. */
  async #heldFrom(groups: readonly { name: string }[]): Promise<number> {
    const { events } = this.#state.names
    const { created } = await this.#manager.streams.info(events)
    const heldFrom = await Promise.all(
      groups.map(async ({ name }) => {
        const info = await this.#manager.consumers.info(events, consumerName(name, created))
        if (info.num_ack_pending > 0) return info.ack_floor.stream_seq + 1
        return info.num_pending > 0 ? info.delivered.stream_seq + 1 : Number.POSITIVE_INFINITY
      }),
    )
    return Math.min(Number.POSITIVE_INFINITY, ...heldFrom)
  }

  /** Which events wait since the last look; asked after the consumers, which hand events over to the redelivery stream. */
  async #waitsOf(
    surplus: readonly EventMessage[],
    groups: readonly { name: string }[],
  ): Promise<boolean[]> {
    const { state } = await this.#manager.streams.info(this.#state.names.redelivery)
    if (state.messages === 0) return surplus.map(() => false)
    return Promise.all(
      surplus.map(async (event) => {
        const newest = ({ name }: { name: string }) =>
          this.#state.newest(this.#state.names.delivery(name, event.sequence))
        const known = await Promise.all(groups.map(newest))
        return known.some((found) => {
          const delivery = found?.json<DeliveryState>()
          return delivery?.redelivery === true && !isFinal(delivery) && isAbout(delivery, event)
        })
      }),
    )
  }

  async #forget(event: EventMessage, groups: readonly { name: string }[]): Promise<void> {
    const { names } = this.#state
    await Promise.all([
      this.#index.remove(JSON.parse(event.json) as EventKey),
      event.erased && this.#state.take(names.erased(event.sequence)),
      ...groups.map(({ name }) => this.#state.take(names.delivery(name, event.sequence))),
    ])
  }
}
