import { LRUCache } from 'lru-cache'

/** Kills after which a handler no longer shares threads with others. */
const KILLS_TO_CONFINE = 3
/** Calls in a row without a kill after which a confined handler shares threads again. */
const CALLS_TO_RELEASE = 20
const REMEMBERED_HANDLERS = 10_000

interface Conduct {
  kills: number
  goodCalls: number
}

/** Remembers which handlers keep forcing their thread to be killed. */
export class Confinement {
  readonly #conduct = new LRUCache<string, Conduct>({ max: REMEMBERED_HANDLERS })

  /** How many handlers are confined now. */
  get size(): number {
    let confined = 0
    for (const { kills } of this.#conduct.values()) if (kills >= KILLS_TO_CONFINE) confined++
    return confined
  }

  isConfined(handlerKey: string): boolean {
    if (this.#conduct.size === 0) return false
    return (this.#conduct.get(handlerKey)?.kills ?? 0) >= KILLS_TO_CONFINE
  }

  killed(handlerKey: string): void {
    const kills = (this.#conduct.get(handlerKey)?.kills ?? 0) + 1
    this.#conduct.set(handlerKey, { kills, goodCalls: 0 })
  }

  finished(handlerKey: string): void {
    if (this.#conduct.size === 0) return
    const conduct = this.#conduct.get(handlerKey)
    if (conduct && ++conduct.goodCalls >= CALLS_TO_RELEASE) this.#conduct.delete(handlerKey)
  }
}
