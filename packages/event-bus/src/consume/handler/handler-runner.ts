import type { CloudEvent, EventInput, JsonValue } from '../../event/cloud-event.js'
import type { HandlerResult, ResolvedRetryOptions } from '../../options.js'
import { emittedId } from '../../publish/emitted-id.js'
import type { AppendRequest, Claim, Settlement } from '../../store/event-store.js'
import { describeFailure, jsonCopy } from './delivery-error.js'
import { fitRecord } from './fit-record.js'
import { runInHandlerScope } from './handler-scope.js'
import { retryDelayMs } from './retry-delay.js'

/** One event on its way through a handler. */
export interface DeliveryContext {
  /** The event; a handler changes its own copy only. */
  event: CloudEvent
  /** `event` as the JSON text that it is stored as, to hand on without writing it again. */
  eventJson: string
  /** The consumer group. */
  group: string
  /** 1 for the first attempt. */
  attempt: number
  /** 0 for the original delivery, n for the n-th replay. */
  replay: number
  /** Position of the event in the store. */
  sequence: number
  /** RFC 3339 time at which the event was stored. */
  publishedAt: string
  /** Aborts when the bus closes and cannot wait any longer. */
  signal: AbortSignal
}

/** Handles one event: an answer acks it, a throw means retry. */
export type EventHandler = (
  delivery: DeliveryContext,
) => HandlerResult | undefined | Promise<HandlerResult | undefined> | Promise<void> | void

/** How one attempt of a handler ended, and what it threw. */
export interface Attempt {
  settlement: Settlement
  thrown?: unknown
}

/** What a handler runs with. */
export interface HandlerSetup {
  group: string
  retry: ResolvedRetryOptions
  /** Set where order matters: a claim with a key is retried in place. */
  keyOf: ((claim: Claim) => string | undefined) | undefined
  signal: AbortSignal
  /** Whose handlers these are, see `isInsideHandlerOf`. */
  scope: object
  /** Longer records are cut. */
  maxRecordBytes(): number
  encodeEmitted(input: EventInput, id: string, parent: CloudEvent): AppendRequest
}

/** Runs a handler on claimed events, and says how to settle them. */
export class HandlerRunner {
  readonly #handler: EventHandler
  readonly #setup: HandlerSetup

  constructor(handler: EventHandler, setup: HandlerSetup) {
    this.#handler = handler
    this.#setup = setup
  }

  /** All its attempts were started, and none of them ended: its process died each time. */
  isExhausted(claim: Claim): boolean {
    return claim.attempt > this.#setup.retry.maxAttempts
  }

  async run(claim: Claim): Promise<Attempt> {
    const startedMs = performance.now()
    const { group, keyOf, retry, scope, signal } = this.#setup
    try {
      if (this.isExhausted(claim)) throw processDied(claim, retry.maxAttempts)
      const context = {
        // A claim that is retried in place is handled again: what the handler changes must not be there then.
        event: keyOf === undefined ? claim.event : structuredClone(claim.event),
        eventJson: claim.eventJson,
        group,
        attempt: claim.attempt,
        replay: claim.replay,
        sequence: claim.sequence,
        publishedAt: claim.publishedAt,
        signal,
      }
      const outcome = await runInHandlerScope(scope, () => this.#handler(context))
      const durationMs = performance.now() - startedMs
      return { settlement: this.#acknowledge(claim, outcome ?? undefined, durationMs) }
    } catch (thrown) {
      return { settlement: this.#failed(claim, thrown, performance.now() - startedMs), thrown }
    }
  }

  #acknowledge(claim: Claim, outcome: HandlerResult | undefined, durationMs: number): Settlement {
    const { group, encodeEmitted } = this.#setup
    const emit = (outcome?.emit ?? []).map((input, n) =>
      encodeEmitted(input, emittedId(claim.event, group, n, claim.replay), claim.event),
    )
    const record = this.#fit(jsonCopy(outcome?.record))
    return { kind: 'ack', emit, durationMs, ...(record !== undefined && { record }) }
  }

  #fit(record: JsonValue | undefined): JsonValue | undefined {
    return record === undefined ? undefined : fitRecord(record, this.#setup.maxRecordBytes())
  }

  #failed(claim: Claim, thrown: unknown, durationMs: number): Settlement {
    const { keyOf, retry } = this.#setup
    const { error, retryable, record: full } = describeFailure(thrown)
    const record = this.#fit(full)
    const stored = { error, durationMs, ...(record !== undefined && { record }) }
    if (!retryable || claim.attempt >= retry.maxAttempts) return { kind: 'dead-letter', ...stored }
    const delayMs = retryDelayMs(claim.attempt, retry)
    return { kind: 'retry', delayMs, inPlace: keyOf?.(claim) !== undefined, ...stored }
  }
}

function processDied(claim: Claim, maxAttempts: number): Error {
  return Object.assign(
    new Error(
      `the process died during each of ${claim.attempt - 1} attempts; at most ${maxAttempts} are made`,
    ),
    { code: 'ATTEMPTS_EXHAUSTED' },
  )
}
