const [seconds, nanoseconds] = process.hrtime()
/** `performance.now()` starts with its thread; it is cheaper to read than `process.hrtime()`, which all threads share. */
const threadOffsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now()

/**
 * Milliseconds on a clock that never goes back and that all threads of the process share.
 * @param threadMs a moment of this thread's `performance.now()`; now when left out
 */
export function monotonicMs(threadMs = performance.now()): number {
  return threadMs + threadOffsetMs
}
