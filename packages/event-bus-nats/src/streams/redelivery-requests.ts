import type { DeadLetterQuery, ReplayQuery, ReplayResult } from '@nexus/event-bus'
import type { DeadLetterQueries } from '../query/dead-letter-queries.js'
import type { EventLookup } from '../query/event-lookup.js'
import { groupsNamed, replayedEvents } from '../query/replayed-events.js'
import type { Events } from './events.js'
import type { Redelivery } from './redelivery.js'
import { groupsFor, isAbout, type LetterState, type State } from './state.js'

/** What it takes to deliver events once more. */
export interface RedeliveryRequestsHost {
  state: State
  events: Events
  lookup: EventLookup
  deadLetters: DeadLetterQueries
  redelivery: Redelivery
}

/** Delivers events once more where a user asks for it, and ends dead letters. */
export class RedeliveryRequests {
  readonly #host: RedeliveryRequestsHost

  constructor(host: RedeliveryRequestsHost) {
    this.#host = host
  }

  /** @throws EventBusError `NOT_FOUND` */
  async replay(query: ReplayQuery): Promise<ReplayResult> {
    const { state, events, lookup, redelivery } = this.#host
    const groups = await groupsNamed(state, query.groups)
    const result: ReplayResult = { events: 0, deliveries: 0 }
    for await (const event of replayedEvents(query, events, lookup)) {
      result.events += 1
      for (const { name } of groupsFor(groups, event.type)) {
        if (await redelivery.request(name, event, 'replay')) result.deliveries += 1
        await state.remove(state.names.dead(name, event.sequence))
      }
    }
    return result
  }

  /** Delivers dead letters again; answers how many. */
  async redrive(query: DeadLetterQuery): Promise<number> {
    const { state, deadLetters, events, redelivery } = this.#host
    const letters = await deadLetters.find(query)
    let count = 0
    for (const { group, sequence } of letters) {
      const subject = state.names.dead(group, sequence)
      const [event, letter] = await Promise.all([
        events.at(sequence),
        state.read<LetterState>(subject),
      ])
      // Delivered again first: dying here leaves a dead letter too many, not a lost event.
      if (event !== undefined && letter !== undefined && isAbout(letter, event)) {
        await redelivery.request(group, event, 'redrive')
        count += 1
      }
      await state.remove(subject)
    }
    return count
  }

  /** Removes dead letters; answers how many. */
  async purge(query: DeadLetterQuery): Promise<number> {
    const { state, deadLetters } = this.#host
    const letters = await deadLetters.find(query)
    for (const { group, sequence } of letters) await state.remove(state.names.dead(group, sequence))
    return letters.length
  }
}
