/** Where the bus takes its time from; tests inject one they can turn by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `callback` once, when {@link now} has advanced by `delayMs`; the answer cancels it. */
  schedule(callback: () => void, delayMs: number): () => void
}

/** Longer timeouts fire at once in Node, so a longer wait is cut into pieces of this length. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

/** The machine's clock and timers. */
export const systemClock: Clock = {
  now: Date.now,
  schedule(callback, delayMs) {
    const dueAtMs = Date.now() + delayMs
    let timer: NodeJS.Timeout
    // Node rounds a timer by up to a millisecond: one that fires before `now()` has got there waits on.
    const wait = (): void => {
      const remainingMs = Math.max(0, dueAtMs - Date.now())
      timer = setTimeout(
        () => (Date.now() < dueAtMs ? wait() : callback()),
        Math.min(remainingMs, LONGEST_TIMEOUT_MS),
      )
    }
    wait()
    return () => clearTimeout(timer)
  },
}
