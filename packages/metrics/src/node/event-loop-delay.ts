import { createHistogram, performance } from 'node:perf_hooks'

/** How late work starts because the event loop is busy, in milliseconds. */
export interface EventLoopDelayReading {
  /** How many moments were looked at; all figures are 0 when there were none. */
  count: number
  /** The shortest delay. */
  min: number
  /** Arithmetic mean. */
  mean: number
  /** Standard deviation. */
  stddev: number
  /** Half of the delays are at most this. */
  p50: number
  /** 90 % of the delays are at most this. */
  p90: number
  /** 99 % of the delays are at most this. */
  p99: number
  /** The longest delay. */
  max: number
}

/** Time between two moments that are looked at. */
const INTERVAL_MS = 10
/** Moments that one long delay stands for at most. */
const MAX_MOMENTS = 1_000

/**
 * Measures how long work that is due every 10 ms waits for the event loop. A loop that is blocked for 300 ms made 30
 * such moments wait, not one, so a percentile is the share of time. A delay that is still going on when it is read
 * counts with that reading; `monitorEventLoopDelay` of Node loses it, and forgets the next one with each reset.
 *
 * @example
 * ```ts
 * const delay = new EventLoopDelay()
 * setInterval(() => console.log(delay.read().p99), 60_000)
 * ```
 */
export class EventLoopDelay {
  readonly #histogram = createHistogram()
  readonly #timer: NodeJS.Timeout
  /** When the timer ran last. */
  #lastMs = performance.now()

  constructor() {
    this.#timer = setInterval(() => this.#look(performance.now()), INTERVAL_MS)
    this.#timer.unref()
  }

  /** The delays since the reading before, or since the start. */
  read(): EventLoopDelayReading {
    const nowMs = performance.now()
    const dueMs = this.#lastMs + INTERVAL_MS
    // What the timer will say of this delay is only what comes after now.
    if (nowMs > dueMs) this.#look(nowMs, nowMs - INTERVAL_MS)
    const histogram = this.#histogram
    const { count } = histogram
    if (count === 0) return { count, min: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0, max: 0 }
    const ms = (ns: number) => ns / 1e6
    const reading = {
      count,
      min: ms(histogram.min),
      mean: ms(histogram.mean),
      stddev: ms(histogram.stddev),
      p50: ms(histogram.percentile(50)),
      p90: ms(histogram.percentile(90)),
      p99: ms(histogram.percentile(99)),
      max: ms(histogram.max),
    }
    histogram.reset()
    return reading
  }

  /** Stops measuring. */
  close(): void {
    clearInterval(this.#timer)
  }

  #look(nowMs: number, lastMs = nowMs): void {
    const delayMs = Math.max(0, nowMs - this.#lastMs - INTERVAL_MS)
    this.#lastMs = lastMs
    const stepMs = Math.max(INTERVAL_MS, delayMs / MAX_MOMENTS)
    this.#record(delayMs)
    for (let ms = delayMs - stepMs; ms > 0; ms -= stepMs) this.#record(ms)
  }

  #record(delayMs: number): void {
    // The histogram takes whole nanoseconds from 1 on.
    this.#histogram.record(Math.max(1, Math.round(delayMs * 1e6)))
  }
}
