import { performance } from 'node:perf_hooks'

/**
 * Share of the time that the event loop of this thread was busy. `performance.eventLoopUtilization()` of Node says 0
 * until the loop has started, which is after the main module has run, so a program that only computes reads 0 %.
 *
 * @example
 * ```ts
 * const utilization = new EventLoopUtilization()
 * compute()
 * utilization.read() // 1
 * ```
 */
export class EventLoopUtilization {
  #sinceMs = performance.now()
  #idleMs = performance.nodeTiming.idleTime

  /** The share since the reading before, or since the start, from 0 to 1. */
  read(): number {
    const nowMs = performance.now()
    const idleMs = performance.nodeTiming.idleTime
    const elapsedMs = nowMs - this.#sinceMs
    const share = elapsedMs > 0 ? 1 - (idleMs - this.#idleMs) / elapsedMs : 0
    this.#sinceMs = nowMs
    this.#idleMs = idleMs
    return Math.min(1, Math.max(0, share))
  }
}
