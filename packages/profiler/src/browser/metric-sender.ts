/// <reference lib="dom" />
import type { MetricInput } from '../metric.js'
import { MAX_PAGE_METRICS, type PageMetrics } from '../page-metrics.js'

/** Sends metrics to the server now and then, and for sure before the page goes. */
export class MetricSender {
  readonly #endpoint: string
  readonly #timer: ReturnType<typeof setInterval>
  #pending: MetricInput[] = []
  #sending = false
  #sent = 0
  #dropped = 0

  constructor(endpoint: string, intervalMs: number) {
    this.#endpoint = endpoint
    this.#timer = setInterval(() => void this.flush(), intervalMs)
    // The last moment that every browser tells of: a page may be gone without any other event.
    addEventListener('visibilitychange', this.#onHidden)
    addEventListener('pagehide', this.#sendBeacon)
  }

  get stats(): { pending: number; sent: number; dropped: number } {
    return { pending: this.#pending.length, sent: this.#sent, dropped: this.#dropped }
  }

  add(metric: MetricInput): void {
    this.#pending.push(metric)
    // A server that does not answer must not fill the memory of the page: the oldest go.
    if (this.#pending.length > MAX_PAGE_METRICS) {
      this.#pending.shift()
      this.#dropped++
    }
  }

  /** Sends what waits; what could not be sent waits on. */
  async flush(): Promise<void> {
    if (this.#sending || this.#pending.length === 0) return
    this.#sending = true
    const batch = this.#pending.splice(0)
    try {
      const response = await fetch(this.#endpoint, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: encode(batch),
        keepalive: true,
      })
      // What the server refuses it will refuse again; when it is only busy, the next try may do.
      if (response.ok) this.#sent += batch.length
      else if (response.status < 500) this.#dropped += batch.length
      else this.#putBack(batch)
    } catch {
      this.#putBack(batch)
    } finally {
      this.#sending = false
    }
  }

  close(): void {
    clearInterval(this.#timer)
    removeEventListener('visibilitychange', this.#onHidden)
    removeEventListener('pagehide', this.#sendBeacon)
    this.#sendBeacon()
  }

  readonly #onHidden = () => {
    if (document.visibilityState === 'hidden') this.#sendBeacon()
  }

  readonly #sendBeacon = () => {
    if (this.#pending.length === 0) return
    const batch = this.#pending.splice(0)
    const body = new Blob([encode(batch)], { type: 'application/json' })
    if (navigator.sendBeacon(this.#endpoint, body)) this.#sent += batch.length
    else this.#putBack(batch)
  }

  #putBack(batch: readonly MetricInput[]): void {
    const waiting = [...batch, ...this.#pending]
    this.#pending = waiting.slice(-MAX_PAGE_METRICS)
    this.#dropped += waiting.length - this.#pending.length
  }
}

function encode(metrics: readonly MetricInput[]): string {
  return JSON.stringify({ page: location.pathname, metrics } satisfies PageMetrics)
}
