import type { Clock } from '../clock.js'

/** Wakes those that wait for a change of what they may do. */
export class ChangeSignal {
  readonly #clock: Clock
  #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  notify(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Resolves at the next change. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves at the next change, and no later than this. */
  async waitWithin(ms: number): Promise<void> {
    const cancel = this.#clock.schedule(() => this.notify(), ms)
    await this.wait()
    cancel()
  }
}
