const [seconds, nanoseconds] = process.hrtime()
/** `performance.now()` starts with its thread; it is cheaper to read than `process.hrtime()`, which all threads share. */
const threadOffsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now()

/** Milliseconds on a clock that never goes back and that all threads of the process share. */
export function monotonicMs(): number {
  return performance.now() + threadOffsetMs
}
