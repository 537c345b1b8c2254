import type { Clock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { Claim, GroupConsumer, PublishResult, Settlement } from '../store/event-store.js'
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

/** What a settler needs of its subscription. */
export interface SettlerHost {
  clock: Clock
  /** Aborts when the subscription cannot wait any longer. */
  expired: AbortSignal
  /** What is stored in place of a settlement that the store refuses for good. */
  refused(claim: Claim, settlement: Settlement, refusal: EventBusError): Settlement
  onError(error: unknown): void
}

/** How many settlements of a claim may be refused for good; each one asks for less. */
const MAX_REFUSALS = 2

/** Settles claims, however long the store fails. */
export class Settler {
  readonly #host: SettlerHost

  constructor(host: SettlerHost) {
    this.#host = host
  }

  async settle(
    consumer: GroupConsumer,
    claim: Claim,
    settlement: Settlement,
  ): Promise<SettleResult> {
    let current = settlement
    let refusal: EventBusError | undefined
    let refusals = 0
    for (let failures = 0; !this.#host.expired.aborted; failures++) {
      try {
        const emitted = await consumer.settle(claim, current)
        return { kind: 'stored', settlement: current, emitted, ...(refusal && { refusal }) }
      } catch (error) {
        this.#host.onError(error)
        const code = error instanceof EventBusError ? error.code : undefined
        if (code === 'CLAIM_LOST') return { kind: 'lost' }
        if (code === 'SETTLEMENT_REFUSED' && refusals < MAX_REFUSALS) {
          refusals += 1
          refusal ??= error as EventBusError
          current = this.#host.refused(claim, current, refusal)
        } else await this.pause(storeRetryMs(failures))
      }
    }
    return { kind: 'lost' }
  }

  /** Resolves after this time, or when the subscription cannot wait any longer. */
  async pause(ms: number): Promise<void> {
    const { clock, expired } = this.#host
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(() => {
        expired.removeEventListener('abort', stop)
        resolve()
      }, ms)
      const stop = (): void => {
        cancel()
        resolve()
      }
      expired.addEventListener('abort', stop, { once: true })
    })
  }
}
