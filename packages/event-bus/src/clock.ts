/** Where the bus takes its time from; tests inject one they can turn by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `callback` once after `delayMs`; the answer cancels it. */
  schedule(callback: () => void, delayMs: number): () => void
}

/** Longer timeouts fire at once in Node, so a longer wait is cut into pieces of this length. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

/** The machine's clock and timers. */
export const systemClock: Clock = {
  now: Date.now,
  schedule(callback, delayMs) {
    let remainingMs = Math.max(0, delayMs)
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const stepMs = Math.min(remainingMs, LONGEST_TIMEOUT_MS)
      remainingMs -= stepMs
      timer = setTimeout(() => (remainingMs > 0 ? wait() : callback()), stepMs)
    }
    wait()
    return () => clearTimeout(timer)
  },
}
