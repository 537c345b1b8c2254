import { matchesPattern } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import type { EventMessage, Events } from '../streams/events.js'
import type { GroupState, State } from '../streams/state.js'
import { isWanted } from './pattern-sets.js'

/** Events read at once. */
const WINDOW = 100

/** Finds what the filter of a group's consumer left out although the group asks for it. */
export class SkippedEvents {
  readonly #state: State
  readonly #events: Events
  readonly #clock: Pick<ServerClock, 'now'>

  constructor(state: State, events: Events, clock: Pick<ServerClock, 'now'>) {
    this.#state = state
    this.#events = events
    this.#clock = clock
  }

  /** @param filter the subject by which the consumer chose what it handed out */
  async *of(
    group: string,
    { sets }: GroupState,
    filter: string,
  ): AsyncGenerator<EventMessage, void, undefined> {
    const { names } = this.#state
    const skipping = sets.filter(({ patterns }) =>
      patterns.some((pattern) => names.eventsOf(pattern) !== filter),
    )
    if (skipping.length === 0) return
    const isHandedOut = (type: string): boolean =>
      matchesPattern(filter, names.event({ source: '', id: '', type }))
    const range = await this.#events.range()
    const after = Math.min(...skipping.map((set) => set.after))
    for (let at = Math.max(range.first, after + 1); at <= range.last; at += WINDOW) {
      for (const event of await this.#events.window(range, at, range.last, WINDOW)) {
        if (isHandedOut(event.type)) continue
        if (!isWanted(sets, event.type, event.sequence, this.#clock.now())) continue
        const { value } = await this.#state.delivery(group, event)
        if (value === undefined) yield event
      }
    }
  }
}
