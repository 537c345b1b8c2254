import { parseOptions } from '../parse-options.js'
import type { EventStore } from './event-store.js'
import type { DeadLetterListQuery, DeadLetterPage, DeadLetterQuery } from './queries.js'
import { deadLetterListSchema, deadLetterSchema } from './query-options.js'

/** Events that groups gave up on: they stay until they are redriven, replayed or purged. */
export class DeadLetters {
  readonly #store: EventStore

  constructor(store: EventStore) {
    this.#store = store
  }

  /** One page, newest first in each group. */
  async list(query: DeadLetterListQuery = {}): Promise<DeadLetterPage> {
    return this.#store.listDeadLetters(
      parseOptions(deadLetterListSchema, query, 'deadLetters.list'),
    )
  }

  /** Delivers them again with a fresh count of attempts; answers how many. */
  async redrive(query: DeadLetterQuery = {}): Promise<number> {
    return this.#store.redriveDeadLetters(
      parseOptions(deadLetterSchema, query, 'deadLetters.redrive'),
    )
  }

  /** Forgets that they failed; the events themselves stay. Answers how many. */
  async purge(query: DeadLetterQuery = {}): Promise<number> {
    return this.#store.purgeDeadLetters(parseOptions(deadLetterSchema, query, 'deadLetters.purge'))
  }
}
