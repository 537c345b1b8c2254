import { JetStreamApiError } from '@nats-io/jetstream'
import {
  type AppendRequest,
  deliveryTimeOf,
  EventBusError,
  type PublishResult,
} from '@nexus/event-bus'
import { isWrongLastSequence, type Publisher } from '../connection/publisher.js'
import type { ServerClock } from '../connection/server-clock.js'
import type { Events } from './events.js'
import type { IdIndex } from './id-index.js'
import type { EventKey, Names } from './names.js'
import { DELIVER_AT } from './redelivery.js'

/** Messages that a server takes in one batch. */
const MAX_ATOMIC = 1_000
/** More than the headers of one event need. */
const HEADER_BYTES = 1_024

/** Stores events, each with the index that finds it by its id. */
export class Appender {
  /** Whether events published together are stored all or not at all. */
  readonly atomic: boolean
  readonly #publisher: Publisher
  readonly #names: Names
  readonly #index: IdIndex
  readonly #events: Events
  readonly #clock: Pick<ServerClock, 'now'>

  constructor(
    publisher: Publisher,
    names: Names,
    index: IdIndex,
    events: Events,
    clock: Pick<ServerClock, 'now'>,
    atomic: boolean,
  ) {
    this.#clock = clock
    this.#publisher = publisher
    this.#names = names
    this.#index = index
    this.#events = events
    this.atomic = atomic
  }

  /**
   * Refuses an event that the server can never take.
   *
   * @throws EventBusError `EVENT_TOO_LARGE`
   */
  check({ event: { id }, json }: AppendRequest): void {
    const maxBytes = this.#publisher.maxPayloadBytes - HEADER_BYTES
    // One UTF-16 unit is at most 3 bytes of UTF-8: most events need no count.
    if (json.length * 3 <= maxBytes) return
    const bytes = Buffer.byteLength(json)
    if (bytes <= maxBytes) return
    throw new EventBusError(
      'EVENT_TOO_LARGE',
      `event ${id}: expected at most ${maxBytes} bytes of JSON, as the NATS server's max_payload is ${this.#publisher.maxPayloadBytes} with headers, got ${bytes}; store the payload elsewhere and publish a reference, or raise max_payload`,
      { details: { id, bytes, maxEventBytes: maxBytes } },
    )
  }

  /** Stores events in order; none of it is done twice for an event. */
  async append(events: readonly AppendRequest[]): Promise<PublishResult[]> {
    // A batch has no deduplication: only ids that were made just now may come in one.
    const fresh = events.length > 1 && events.every(({ hasFreshId }) => hasFreshId === true)
    if (this.atomic && fresh && events.length <= MAX_ATOMIC) {
      try {
        return await this.#publishAtomically(events)
      } catch (error) {
        // Nothing of it was stored, for example because the server had too many batches under way.
        if (!(error instanceof JetStreamApiError)) throw error
      }
    }
    return Promise.all(events.map((event) => this.#publish(event)))
  }

  async #publishAtomically(events: readonly AppendRequest[]): Promise<PublishResult[]> {
    const messages = events.map((request) => ({
      subject: this.#names.event(request.event),
      payload: request.json,
      ...this.#deliverAt(request),
    }))
    const found = events.map(({ event }) => this.#index.add(event))
    const [last] = await Promise.all([this.#publisher.publishAtomically(messages), ...found])
    const first = last - events.length + 1
    return events.map(({ event }, i) => ({ id: event.id, sequence: first + i, duplicate: false }))
  }

  async #publish(request: AppendRequest): Promise<PublishResult> {
    const { event, json } = request
    const { id } = event
    const isFresh = request.hasFreshId === true
    const earlier = isFresh ? undefined : await this.#earlier(event)
    if (earlier !== undefined) return { id, sequence: earlier, duplicate: true }
    const stored = this.#publisher
      .publish(this.#names.event(event), json, {
        id: this.#names.identity(event),
        lastSubjectSequence: 0,
        ...this.#deliverAt(request),
      })
      .then(
        ({ sequence, duplicate }) => ({ id, sequence, duplicate }),
        (error: unknown) => {
          const sequence = duplicateOf(error)
          if (sequence === undefined) throw error
          return { id, sequence, duplicate: true }
        },
      )
    // Both are waited for: an event that could not be looked up would not be stored.
    const [result] = await Promise.all([stored, isFresh && this.#index.add(event)])
    return result
  }

  /**
   * Makes sure that an event is found, and answers the sequence of an event of the same source and id. The subject
   * of such an event may be another one: with another type, or when it was erased.
   */
  async #earlier(key: EventKey): Promise<number | undefined> {
    const known = await this.#index.addNew(key)
    if (known.length === 0) return undefined
    for (const one of known) {
      const found = await this.#events.of(one)
      if (found !== undefined) return found.sequence
    }
    await this.#index.add(key)
    return undefined
  }

  #deliverAt(request: AppendRequest): { headers?: Record<string, string> } {
    const dueAtMs = deliveryTimeOf(request, this.#clock.now())
    return dueAtMs === undefined ? {} : { headers: { [DELIVER_AT]: String(dueAtMs) } }
  }
}

/** The sequence of the event that was there before; undefined for any other error. */
function duplicateOf(error: unknown): number | undefined {
  if (!isWrongLastSequence(error)) return undefined
  const found = /wrong last sequence: (\d+)/.exec(error.message)
  return found === null ? undefined : Number(found[1])
}
