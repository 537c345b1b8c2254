import { ambiguousId, type CloudEvent, EventBusError, type GroupRequest } from '@nexus/event-bus'
import type { EventMessage, Events } from '../streams/events.js'
import type { IdIndex } from '../streams/id-index.js'

/** Finds events by what names them: an id, or a time. */
export class EventLookup {
  readonly #events: Events
  readonly #index: IdIndex

  constructor(events: Events, index: IdIndex) {
    this.#events = events
    this.#index = index
  }

  /**
   * The event with an id, the newest one where the source used it for several types.
   *
   * @throws EventBusError `AMBIGUOUS_ID`
   */
  async find(id: string, source?: string): Promise<EventMessage | undefined> {
    return (await this.findAll(id, source)).at(-1)
  }

  /** All events of one source with an id: several where they have different types. */
  async findAll(id: string, source?: string): Promise<EventMessage[]> {
    const keys = await this.#index.find(id, source)
    const found = await Promise.all(keys.map((key) => this.#events.of(key)))
    const events = found.filter((event) => event !== undefined)
    const sources = new Set(events.map(({ json }) => (JSON.parse(json) as CloudEvent).source))
    if (sources.size > 1) throw ambiguousId(id, [...sources])
    return events
  }

  /** Sequence of the first event that was stored at a time, or later. */
  async firstAtOrAfter(time: string | Date): Promise<number> {
    const wanted = new Date(time).getTime()
    const { first, last } = await this.#events.range()
    let low = first
    let high = last + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const event = await this.#atOrAfter(middle, high)
      if (event === undefined) high = middle
      else if (event.time.getTime() < wanted) low = event.sequence + 1
      else high = middle
    }
    return low
  }

  /** Sequence after which a new group begins. */
  async startAfter({ name, start }: GroupRequest): Promise<number> {
    const { first, last } = await this.#events.range()
    if (start === 'now') return last
    if (start === 'beginning') return first - 1
    if ('time' in start) return (await this.firstAtOrAfter(start.time)) - 1
    const event = await this.find(start.id, start.source)
    if (event !== undefined) return event.sequence - 1
    throw new EventBusError(
      'NOT_FOUND',
      `group ${name}: expected the id of a stored event to start from, got ${start.id}`,
      { details: { group: name, id: start.id } },
    )
  }

  /** The first event from a sequence on, before another one: dead letters leave gaps when others are removed. */
  async #atOrAfter(sequence: number, before: number): Promise<EventMessage | undefined> {
    const range = await this.#events.range()
    for (let at = sequence; at < before; at += GAP_WINDOW) {
      const [event] = await this.#events.window(range, at, before - 1, GAP_WINDOW)
      if (event !== undefined) return event
    }
    return undefined
  }
}

/** Sequences that are looked at together. */
const GAP_WINDOW = 8
