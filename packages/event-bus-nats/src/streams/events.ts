import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream'
import type { Erasure } from '@nexus/event-bus'
import type { IndexedKey } from './id-index.js'
import { DELIVER_AT } from './redelivery.js'
import type { State } from './state.js'

/** An event as the bus has it. */
export interface EventMessage {
  sequence: number
  type: string
  /** The event; of one that was erased, its envelope. */
  json: string
  /** When the server stored it. */
  time: Date
  /** Epoch milliseconds before which no group gets it; 0 where there is no such time. */
  deliverAtMs: number
  erased?: Erasure
}

/** What is left of an erased event, as it is stored. */
export interface ErasedEvent {
  type: string
  json: string
  storedAtMs: number
  deliverAtMs: number
  erased: Erasure
}

/** Which events there are. */
export interface EventRange {
  first: number
  last: number
  /** First sequence of the stream: before it there are only erased events. */
  firstStored: number
  /** Erased events, which are not in the stream. */
  erased: ReadonlySet<number>
  /** Events, erased ones too. */
  count: number
  /** Bytes of the stream. */
  bytes: number
}

/** Reads events: from their stream or, where they were erased, what is left of them. */
export class Events {
  readonly #state: State
  readonly #manager: JetStreamManager

  constructor(state: State, manager: JetStreamManager) {
    this.#state = state
    this.#manager = manager
  }

  /** The event with a sequence. */
  async at(sequence: number): Promise<EventMessage | undefined> {
    const found = await this.#manager.direct.getMessage(this.#state.names.events, { seq: sequence })
    return found === null ? this.#erasedAt(sequence) : this.#toEvent(found)
  }

  /** The event that is found by this. */
  async of(key: IndexedKey): Promise<EventMessage | undefined> {
    if (key.erasedSequence !== undefined) return this.#erasedAt(key.erasedSequence)
    const query = { last_by_subj: this.#state.names.event(key) }
    const found = await this.#manager.direct.getMessage(this.#state.names.events, query)
    return found === null ? undefined : this.#toEvent(found)
  }

  async range(): Promise<EventRange> {
    const { names } = this.#state
    const [{ state }, subjects] = await Promise.all([
      this.#manager.streams.info(names.events),
      this.#state.subjects(names.erased('*')),
    ])
    const erased = new Set(subjects.map((subject) => Number(names.lastToken(subject))))
    const firstStored = Math.max(1, state.first_seq)
    let first = firstStored
    for (const sequence of erased) first = Math.min(first, sequence)
    const count = state.messages + erased.size
    return { first, last: state.last_seq, firstStored, erased, count, bytes: state.bytes }
  }

  /** Up to `size` events from `at` towards `limit`. */
  async window(
    { firstStored, erased }: EventRange,
    at: number,
    limit: number,
    size: number,
  ): Promise<EventMessage[]> {
    const step = limit < at ? -1 : 1
    const length = Math.min(size, Math.abs(limit - at) + 1)
    const sequences = Array.from({ length }, (_, i) => at + i * step).filter(
      (sequence) => sequence >= firstStored || erased.has(sequence),
    )
    const events = await Promise.all(sequences.map((sequence) => this.at(sequence)))
    return events.filter((event) => event !== undefined)
  }

  async #erasedAt(sequence: number): Promise<EventMessage | undefined> {
    const found = await this.#state.read<ErasedEvent>(this.#state.names.erased(sequence))
    if (found === undefined) return undefined
    const { storedAtMs, ...event } = found
    return { sequence, ...event, time: new Date(storedAtMs) }
  }

  #toEvent(message: StoredMsg): EventMessage {
    return {
      sequence: message.seq,
      type: this.#state.names.typeOf(message.subject),
      json: message.string(),
      time: message.time,
      deliverAtMs: Number(message.header.get(DELIVER_AT) || 0),
    }
  }
}
