import { EventBusError } from '../../errors.js'
import type { StoreStats } from '../store-stats.js'

/** How much a store has, and how far each of its groups is. */
export type StoreFigures = Pick<StoreStats, 'events' | 'bytes' | 'groups'>

/** The figures of a server: those that it gave last, while it is away. */
export class RememberedFigures {
  #figures: StoreFigures = { events: 0, bytes: 0, groups: [] }

  /** What the server gave last. */
  get last(): StoreFigures {
    return this.#figures
  }

  /**
   * Asks the server.
   *
   * @returns whether it answered
   * @throws what `read` throws, but for `STORE_UNAVAILABLE`
   */
  async refresh(read: () => Promise<StoreFigures>): Promise<boolean> {
    try {
      this.#figures = await read()
      return true
    } catch (error) {
      if (error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE') return false
      throw error
    }
  }
}
