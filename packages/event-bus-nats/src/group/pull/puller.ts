import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream'

/** A pull is asked again after this time, should the server have forgotten it. */
const PULL_EXPIRES_MS = 30_000
/**
 * The same where the filter of the consumer was changed: servers before 2.10 do not hand out to an open pull what only the
 * new filter matches.
 */
const HURRIED_EXPIRES_MS = 1_000

/**
 * Asks a consumer for messages, one pull at a time, and hands on what comes. A pull stays open until it is
 * filled, so an idle consumer costs one request in half a minute. `onEnd` is told of the end of each pull,
 * with the error when there was one: it may have brought nothing that this process wants.
 */
export class Puller {
  readonly #consumer: Consumer
  readonly #onMessage: (message: JsMsg) => void
  readonly #onEnd: (error: unknown) => void
  #pull: ConsumerMessages | undefined
  #pulling = false
  #expiresMs = PULL_EXPIRES_MS
  /** Pulls of an earlier connection bring nothing any more. */
  #epoch = 0
  #closed = false

  constructor(
    consumer: Consumer,
    onMessage: (message: JsMsg) => void,
    onEnd: (error: unknown) => void,
  ) {
    this.#consumer = consumer
    this.#onMessage = onMessage
    this.#onEnd = onEnd
  }

  /** Makes sure that a pull is open. */
  want(limit: number, expiresMs = this.#expiresMs): void {
    if (this.#pulling || this.#closed) return
    this.#pulling = true
    this.#run(limit, expiresMs)
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .then((error) => {
        this.#pulling = false
        if (!this.#closed) this.#onEnd(error)
      })
  }

  /** The filter of the consumer was changed. */
  hurry(): void {
    if (this.#expiresMs === HURRIED_EXPIRES_MS) return
    this.#expiresMs = HURRIED_EXPIRES_MS
    this.renew()
  }

  /** The connection was away: what the server knew of the pull is lost. */
  renew(): void {
    this.#epoch += 1
    this.#pull?.stop()
  }

  close(): void {
    this.#closed = true
    this.renew()
  }

  async #run(limit: number, expires: number): Promise<void> {
    const epoch = this.#epoch
    this.#pull = await this.#consumer.fetch({ max_messages: limit, expires })
    if (epoch !== this.#epoch) this.#pull.stop()
    for await (const message of this.#pull) this.#onMessage(message)
  }
}
