/** Where the bus takes its time from; tests inject one they can turn by hand. */
export interface Clock {
  /** The wall clock: milliseconds since the epoch. It can be set back or forward at any moment. */
  now(): number
  /** Milliseconds from some point in the past. It never goes back; steps of the wall clock do not move it. */
  monotonic(): number
  /** Calls `callback` once, when {@link monotonic} has advanced by `delayMs`; the answer cancels it. */
  schedule(callback: () => void, delayMs: number): () => void
}

/** Longer timeouts fire at once in Node, so a longer wait is cut into pieces of this length. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

const monotonic = (): number => performance.now()

/** The machine's clocks and timers. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic,
  schedule(callback, delayMs) {
    const dueAtMs = monotonic() + delayMs
    let timer: NodeJS.Timeout
    // Node rounds a timer by up to a millisecond: one that fires too early waits on.
    const wait = (): void => {
      const remainingMs = Math.max(0, dueAtMs - monotonic())
      timer = setTimeout(
        () => (monotonic() < dueAtMs ? wait() : callback()),
        Math.min(Math.ceil(remainingMs), LONGEST_TIMEOUT_MS),
      )
    }
    wait()
    return () => clearTimeout(timer)
  },
}
