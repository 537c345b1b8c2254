import { monotonicMs } from './monotonic.js'

/**
 * Microseconds that a call waited, never below 0: the clocks of two threads differ by microseconds.
 * @param submittedAt on the clock of `monotonicMs`
 * @param startedAt on this thread's `performance.now()`; now when left out
 */
export function queueWaitUs(submittedAt: number, startedAt?: number): number {
  return Math.max(0, monotonicMs(startedAt) - submittedAt) * 1000
}
