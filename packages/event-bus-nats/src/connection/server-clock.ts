import type { JetStreamManager } from '@nats-io/jetstream'
import type { Publisher } from './publisher.js'

/** How long a measured difference is trusted. */
const SYNC_EVERY_MS = 30_000

/**
 * The server's time, which all processes of a bus share. It is measured by the time at which the server stores
 * a message, and moves on with this machine's monotonic clock: a step of the wall clock changes nothing.
 */
export class ServerClock {
  readonly #publisher: Publisher
  readonly #manager: JetStreamManager
  readonly #stream: string
  readonly #subject: string
  readonly #onError: (error: unknown) => void
  #offsetMs = Date.now() - performance.now()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    publisher: Publisher,
    manager: JetStreamManager,
    subject: { stream: string; subject: string },
    onError: (error: unknown) => void,
  ) {
    this.#publisher = publisher
    this.#manager = manager
    this.#stream = subject.stream
    this.#subject = subject.subject
    this.#onError = onError
  }

  /** Epoch milliseconds of the server. */
  now(): number {
    return Math.round(performance.now() + this.#offsetMs)
  }

  /** Measures the difference, and again every half minute. */
  async sync(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      const sentMs = performance.now()
      const { sequence } = await this.#publisher.publish(this.#subject, '')
      const midwayMs = (sentMs + performance.now()) / 2
      const stored = await this.#manager.streams.getMessage(this.#stream, { seq: sequence })
      if (stored !== null) this.#offsetMs = stored.time.getTime() - midwayMs
    } finally {
      if (!this.#closed) this.#timer = setTimeout(() => this.#syncAgain(), SYNC_EVERY_MS).unref()
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #syncAgain(): void {
    this.sync().catch(this.#onError)
  }
}
