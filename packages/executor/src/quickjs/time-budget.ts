/** The time that a guest may run for, spent in several stretches. */
export class TimeBudget {
  #startedAt = 0

  constructor(private remainingMs: number) {}

  /** What is left for the next stretch, in milliseconds. */
  get leftMs(): number {
    return Math.max(0, this.remainingMs)
  }

  /** @returns when the stretch that starts now must end, on the clock of `performance.now()` */
  start(): number {
    this.#startedAt = performance.now()
    return this.#startedAt + this.leftMs
  }

  stop(): void {
    this.spend(performance.now() - this.#startedAt)
  }

  /** Takes time that passed outside of a stretch. */
  spend(ms: number): void {
    this.remainingMs -= ms
  }
}
