import type { Puller } from './puller.js'

/** A process that parks events looks this often whether another one parked some for it. */
const PARKED_EVERY_MS = 5_000
const PARKED_PULL_MS = 1_000
/** A process counts as such for this long after the last event that it parked. */
const PARKS_MS = 60_000

/** Asks for what other processes of the group left to this one, once there are such processes. */
export class ParkedPuller {
  readonly #open: () => Promise<Puller>
  readonly #onOpen: () => void
  readonly #onError: (error: unknown) => void
  #puller: Promise<Puller> | undefined
  #lastPullMs = 0
  #lastPassedOnMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param onOpen there is something to ask for, or it is time to ask again
   */
  constructor(open: () => Promise<Puller>, onOpen: () => void, onError: (error: unknown) => void) {
    this.#open = open
    this.#onOpen = onOpen
    this.#onError = onError
  }

  /** Processes with other patterns take part. */
  open(): void {
    if (this.#closed || this.#puller !== undefined) return
    const opening = this.#open()
    this.#puller = opening
    opening.then(
      (puller) => {
        if (this.#closed) puller.close()
        this.#onOpen()
      },
      (error: unknown) => {
        if (this.#puller === opening) this.#puller = undefined
        this.#onError(error)
      },
    )
  }

  /** This process left an event to others. */
  passedOn(): void {
    this.#lastPassedOnMs = performance.now()
  }

  /** Makes sure that a pull is open. A process that parks events leaves what is parked to the others, and looks now and then. */
  want(limit: number): void {
    void this.#puller?.then(
      (puller) => this.#want(puller, limit),
      () => {},
    )
  }

  /** The consumer is another one, or none until processes with other patterns take part again. */
  forget(): void {
    void this.#puller?.then(
      (puller) => puller.close(),
      () => {},
    )
    this.#puller = undefined
  }

  /** The connection was away. */
  renew(): void {
    void this.#puller?.then(
      (puller) => puller.renew(),
      () => {},
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const puller = await this.#puller?.catch(() => undefined)
    puller?.close()
  }

  #want(puller: Puller, limit: number): void {
    if (performance.now() - this.#lastPassedOnMs >= PARKS_MS) {
      puller.want(limit)
      return
    }
    const waitMs = this.#lastPullMs + PARKED_EVERY_MS - performance.now()
    if (waitMs <= 0) {
      this.#lastPullMs = performance.now()
      puller.want(limit, PARKED_PULL_MS)
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#onOpen()
    }, waitMs)
  }
}
