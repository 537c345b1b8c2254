/** A clock that stands still until it is told otherwise. */
export class HandClock {
  readonly #timers = new Set<{ at: number; callback: () => void }>()
  #now = Date.parse('2026-01-01T00:00:00Z')

  now(): number {
    return this.#now
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  advance(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue
      this.#timers.delete(timer)
      timer.callback()
    }
  }
}
