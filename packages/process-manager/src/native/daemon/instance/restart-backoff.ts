import type { ResolvedRestartRule } from '../../../service/service-defaults.js'

/** Counts early ends in a row, and says how long to wait before the next start. */
export class RestartBackoff {
  #earlyEnds = 0

  constructor(private readonly rule: ResolvedRestartRule) {}

  /** Milliseconds to wait, or null when it is to stay down. */
  afterEnd(early: boolean): number | null {
    this.#earlyEnds = early ? this.#earlyEnds + 1 : 0
    const { maxRestarts, baseDelayMs, maxDelayMs } = this.rule
    if (this.#earlyEnds > maxRestarts) return null
    return Math.min(maxDelayMs, baseDelayMs * 2 ** Math.max(0, this.#earlyEnds - 1))
  }

  reset(): void {
    this.#earlyEnds = 0
  }
}
