import type { Claim } from '../../store/event-store.js'

/** Lets one event per ordering key through at a time: a key is closed until its event ended for good. */
export class KeyGate {
  readonly #lanes = new Map<string, Claim[]>()

  /** True when the claim may run now; otherwise it waits for its turn. */
  enter(key: string, claim: Claim): boolean {
    const waiting = this.#lanes.get(key)
    if (waiting === undefined) this.#lanes.set(key, [])
    else waiting.push(claim)
    return waiting === undefined
  }

  /** The key's event ended for good: answers the next claim of the key, which may run now. */
  leave(key: string): Claim | undefined {
    const next = this.#lanes.get(key)?.shift()
    if (next === undefined) this.#lanes.delete(key)
    return next
  }

  clear(): void {
    this.#lanes.clear()
  }
}
