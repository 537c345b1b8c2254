import { JetStreamApiError } from '@nats-io/jetstream'
import { type AppendRequest, deliveryTimeOf, type PublishResult } from '@nexus/event-bus'
import { isWrongLastSequence, type Publisher } from '../connection/publisher.js'
import { DELIVER_AT } from './redelivery.js'
import type { State } from './state.js'

/** Messages that a server takes in one batch. */
const MAX_ATOMIC = 1_000

/** Stores events, each with the index that finds it by its id. */
export class Appender {
  /** Whether events published together are stored all or not at all. */
  readonly atomic: boolean
  readonly #publisher: Publisher
  readonly #state: State

  constructor(publisher: Publisher, state: State, atomic: boolean) {
    this.#publisher = publisher
    this.#state = state
    this.atomic = atomic
  }

  /** Stores events in order; none of it is done twice for an id. */
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
    const messages = events.map(({ event: { id, type }, json, ...delivery }) => ({
      subject: this.#state.names.event(id, type),
      payload: json,
      ...headersOf(delivery),
    }))
    const ids = events.map(({ event: { id, type } }) =>
      this.#state.write(this.#state.names.id(id), type),
    )
    const [last] = await Promise.all([this.#publisher.publishAtomically(messages), ...ids])
    const first = last - events.length + 1
    return events.map(({ event }, i) => ({ id: event.id, sequence: first + i, duplicate: false }))
  }

  async #publish({ event, json, ...delivery }: AppendRequest): Promise<PublishResult> {
    const { id, type } = event
    const stored = this.#publisher
      .publish(this.#state.names.event(id, type), json, {
        id,
        lastSubjectSequence: 0,
        ...headersOf(delivery),
      })
      .then(
        ({ sequence, duplicate }) => ({ id, sequence, duplicate }),
        (error: unknown) => {
          const sequence = duplicateOf(error)
          if (sequence === undefined) throw error
          return { id, sequence, duplicate: true }
        },
      )
    // Both are waited for: an event that nobody could look up would not be stored.
    const [result] = await Promise.all([stored, this.#state.write(this.#state.names.id(id), type)])
    return result
  }
}

/** The sequence of the event that was there before; undefined for any other error. */
function duplicateOf(error: unknown): number | undefined {
  if (!isWrongLastSequence(error)) return undefined
  const found = /wrong last sequence: (\d+)/.exec(error.message)
  return found === null ? undefined : Number(found[1])
}

/** Says when the event is due, where that is not at once. */
function headersOf(
  delivery: Pick<AppendRequest, 'deliverAtMs' | 'delayMs'>,
): { headers: Record<string, string> } | undefined {
  const dueAtMs = deliveryTimeOf(delivery, Date.now())
  return dueAtMs === undefined ? undefined : { headers: { [DELIVER_AT]: String(dueAtMs) } }
}
