/// <reference lib="dom" />
import type { MetricInput } from '../../metrics/metric.js'
import { MAX_PAGE_METRICS, type PageMetrics } from '../page-metrics.js'

/**
 * Browsers let requests of 64 KiB in all outlive a page, and a character may take three bytes: so this leaves
 * room for the last request beside one that the server has not answered.
 */
const MAX_BATCH_CHARACTERS = 10_000

/** A metric and its length as JSON. */
interface Waiting {
  metric: MetricInput
  length: number
}

/** Sends metrics to the server now and then, and for sure before the page goes. */
export class MetricSender {
  readonly #endpoint: string
  readonly #timer: ReturnType<typeof setInterval>
  #waiting: Waiting[] = []
  #sending = false
  /** While it is down only the timer tries. */
  #isServerUp = true
  #sent = 0
  #dropped = 0

  constructor(endpoint: string, intervalMs: number) {
    this.#endpoint = endpoint
    this.#timer = setInterval(() => void this.flush(), intervalMs)
    // The last moment that every browser tells of: a page may be gone without any other event.
    addEventListener('visibilitychange', this.#onHidden)
    addEventListener('pagehide', this.#sendBeacons)
  }

  get stats(): { pending: number; sent: number; dropped: number } {
    return { pending: this.#waiting.length, sent: this.#sent, dropped: this.#dropped }
  }

  add(metric: MetricInput): void {
    this.#waiting.push({ metric, length: JSON.stringify(metric).length })
    this.#dropOldest()
    const characters = this.#waiting.reduce((sum, { length }) => sum + length, 0)
    if (characters > MAX_BATCH_CHARACTERS && this.#isServerUp) void this.flush()
  }

  /** Sends what waits; what could not be sent waits on. */
  async flush(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    try {
      while (this.#waiting.length > 0) if (!(await this.#send(this.#takeBatch()))) return
    } finally {
      this.#sending = false
    }
  }

  close(): void {
    clearInterval(this.#timer)
    removeEventListener('visibilitychange', this.#onHidden)
    removeEventListener('pagehide', this.#sendBeacons)
    this.#sendBeacons()
  }

  /** Whether it makes sense to send more. */
  async #send(batch: Waiting[]): Promise<boolean> {
    try {
      const response = await fetch(this.#endpoint, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: encode(batch),
        keepalive: true,
      })
      // A server that is only busy may take it the next time; what it refuses it will refuse again.
      if (response.status >= 500 || response.status === 429)
        throw new Error(`The server answered ${response.status}.`)
      if (response.ok) this.#sent += batch.length
      else this.#dropped += batch.length
      this.#isServerUp = true
    } catch {
      this.#putBack(batch)
      this.#isServerUp = false
    }
    return this.#isServerUp
  }

  readonly #onHidden = () => {
    if (document.visibilityState === 'hidden') this.#sendBeacons()
  }

  readonly #sendBeacons = () => {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      const body = new Blob([encode(batch)], { type: 'application/json' })
      if (!navigator.sendBeacon(this.#endpoint, body)) return this.#putBack(batch)
      this.#sent += batch.length
    }
  }

  /** The oldest that fit in one request; one at least. */
  #takeBatch(): Waiting[] {
    let characters = 0
    const end = this.#waiting.findIndex(({ length }, i) => {
      characters += length
      return i > 0 && characters > MAX_BATCH_CHARACTERS
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  #putBack(batch: readonly Waiting[]): void {
    this.#waiting = [...batch, ...this.#waiting]
    this.#dropOldest()
  }

  /** A server that does not answer must not fill the memory of the page. */
  #dropOldest(): void {
    const tooMany = this.#waiting.length - MAX_PAGE_METRICS
    if (tooMany <= 0) return
    this.#waiting.splice(0, tooMany)
    this.#dropped += tooMany
  }
}

function encode(batch: readonly Waiting[]): string {
  const metrics = batch.map(({ metric }) => metric)
  return JSON.stringify({ page: location.pathname, metrics } satisfies PageMetrics)
}
