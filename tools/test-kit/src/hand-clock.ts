/** A clock that stands still until a test moves it: time can pass, and the wall clock can be set. */
export class HandClock {
  readonly #timers = new Set<{ at: number; callback: () => void }>()
  #now = Date.parse('2026-01-01T00:00:00Z')
  #monotonic = 0

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#monotonic + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets time pass on both clocks. */
  advance(ms: number): void {
    this.#monotonic += ms
    this.#now += ms
    for (const timer of this.#timers) {
      if (timer.at > this.#monotonic) continue
      this.#timers.delete(timer)
      timer.callback()
    }
  }

  /** Sets the wall clock forward, or back with a negative number; no time passes. */
  step(ms: number): void {
    this.#now += ms
  }
}
