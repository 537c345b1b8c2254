import type { Clock } from '../clock.js'
import { retryDelayMs } from '../consume/handler/retry-delay.js'
import { EventBusError } from '../errors.js'
import type { ResolvedRetryOptions } from '../options.js'

/** Failures that another attempt may cure; the event itself is at fault in all others. */
const CURABLE = new Set<string>(['STORE_FAILED', 'STORE_UNAVAILABLE'])

/**
 * Makes a failed write again. This stores nothing twice: the events of the write have their ids, and a store
 * recognises an id that it has.
 */
export class PublishRetry {
  /** Writes that were made again. */
  retries = 0
  readonly #options: ResolvedRetryOptions
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #hurried = false

  constructor(options: ResolvedRetryOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** @throws the error of the last attempt, or the first one that another attempt cannot cure */
  async run<Result>(write: (attempt: number) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(attempt)
      } catch (error) {
        if (attempt >= this.#options.maxAttempts || !isCurable(error)) throw error
        await this.#wait(retryDelayMs(attempt, this.#options))
        this.retries += 1
      }
    }
  }

  /** Makes the attempts that are left without waiting: the bus is about to close. */
  hurry(): void {
    this.#hurried = true
    for (const goOn of this.#waiting) goOn()
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#hurried) return
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        cancel()
        this.#waiting.delete(goOn)
        resolve()
      }
      const cancel = this.#clock.schedule(goOn, delayMs)
      this.#waiting.add(goOn)
    })
  }
}

function isCurable(error: unknown): boolean {
  return error instanceof EventBusError && CURABLE.has(error.code)
}
