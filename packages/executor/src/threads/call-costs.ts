import { LRUCache } from 'lru-cache'

/** What a call of an unknown handler is taken to cost: a thread gets one of these at a time. */
const UNKNOWN_US = 5_000
/** The weight of the newest call in the moving average. */
const WEIGHT = 0.2
const REMEMBERED_HANDLERS = 10_000

/** What the calls of each handler have lately cost a thread, to tell how many to send ahead. */
export class CallCosts {
  readonly #costs = new LRUCache<string, number>({ max: REMEMBERED_HANDLERS })

  estimateUs(handlerKey: string): number {
    return this.#costs.get(handlerKey) ?? UNKNOWN_US
  }

  record(handlerKey: string, durationUs: number): void {
    const known = this.#costs.get(handlerKey)
    const cost = known === undefined ? durationUs : known + WEIGHT * (durationUs - known)
    this.#costs.set(handlerKey, cost)
  }
}
