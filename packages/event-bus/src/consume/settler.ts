import type { Clock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { Claim, GroupConsumer, PublishResult, Settlement } from '../store/event-store.js'
import { describeFailure } from './handler/delivery-error.js'
import { storeRetryMs } from './store-retry.js'

/** Whether a settlement was stored. */
export type SettleResult =
  | {
      kind: 'stored'
      /** What was stored: a dead letter, where the store refused what the handler led to. */
      settlement: Settlement
      emitted: PublishResult[]
      /** Why the store refused the first one. */
      refusal?: EventBusError
    }
  /** Another consumer may have the event, or the subscription ended first: nothing was stored. */
  | { kind: 'lost' }

/** Settles claims, however long the store fails. */
export class Settler {
  readonly #clock: Clock
  readonly #expired: AbortSignal
  readonly #onError: (error: unknown) => void

  /** @param expired aborts when the subscription cannot wait any longer */
  constructor(clock: Clock, expired: AbortSignal, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#expired = expired
    this.#onError = onError
  }

  async settle(
    consumer: GroupConsumer,
    claim: Claim,
    settlement: Settlement,
  ): Promise<SettleResult> {
    let current = settlement
    let refusal: EventBusError | undefined
    for (let failures = 0; !this.#expired.aborted; failures++) {
      try {
        const emitted = await consumer.settle(claim, current)
        return { kind: 'stored', settlement: current, emitted, ...(refusal && { refusal }) }
      } catch (error) {
        this.#onError(error)
        const code = error instanceof EventBusError ? error.code : undefined
        if (code === 'CLAIM_LOST') return { kind: 'lost' }
        if (code === 'SETTLEMENT_REFUSED' && refusal === undefined) {
          refusal = error as EventBusError
          current = deadLetterOf(current, refusal)
        } else await this.pause(storeRetryMs(failures))
      }
    }
    return { kind: 'lost' }
  }

  /** Resolves after this time, or when the subscription cannot wait any longer. */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(() => {
        this.#expired.removeEventListener('abort', stop)
        resolve()
      }, ms)
      const stop = (): void => {
        cancel()
        resolve()
      }
      this.#expired.addEventListener('abort', stop, { once: true })
    })
  }
}

/** What is stored when a settlement is refused for good: why, and nothing that may be too large. */
function deadLetterOf(refused: Settlement, refusal: EventBusError): Settlement {
  const durationMs = 'durationMs' in refused ? refused.durationMs : 0
  return { kind: 'dead-letter', durationMs, error: describeFailure(refusal).error }
}
