import type { DeadLetterPage, DeadLetterQuery, EventStore } from './event-store.js'

/** Events that groups gave up on: kept until somebody redrives or purges them. */
export class DeadLetters {
  readonly #store: EventStore

  constructor(store: EventStore) {
    this.#store = store
  }

  /** One page, newest first in each group. */
  list(query: DeadLetterQuery & { limit?: number; cursor?: string } = {}): Promise<DeadLetterPage> {
    return this.#store.listDeadLetters(query)
  }

  /** Delivers them again with a fresh count of attempts; answers how many. */
  redrive(query: DeadLetterQuery = {}): Promise<number> {
    return this.#store.redriveDeadLetters(query)
  }

  /** Forgets that they failed; the events themselves stay. Answers how many. */
  purge(query: DeadLetterQuery = {}): Promise<number> {
    return this.#store.purgeDeadLetters(query)
  }
}
