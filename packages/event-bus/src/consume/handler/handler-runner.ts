import { EventBusError } from '../../errors.js'
import type { CloudEvent, EventInput, JsonValue } from '../../event/cloud-event.js'
import { timeOrderedId } from '../../event/time-ordered-id.js'
import type {
  HandlerResult,
  ResolvedRetryOptions,
  ResolvedSubscribeOptions,
} from '../../options.js'
import { emittedId } from '../../publish/emitted-id.js'
import { checkedChanges } from '../../store/checked-states.js'
import {
  type AppendRequest,
  type Claim,
  emittedBy,
  type Settlement,
} from '../../store/event-store.js'
import { describeFailure, jsonCopy } from './delivery-error.js'
import type { FailedDelivery } from './failed-delivery.js'
import { fitRecord } from './fit-record.js'
import { runInHandlerScope } from './handler-scope.js'
import { retryDelayMs } from './retry-delay.js'

/** One event on its way through a handler. */
export interface DeliveryContext<Event = CloudEvent> {
  /** The event; a handler changes its own copy only. */
  event: Event
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
export type EventHandler<Event = CloudEvent> = (
  delivery: DeliveryContext<Event>,
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
  /** Events that are stored with a dead letter. */
  onDeadLetter: ResolvedSubscribeOptions['onDeadLetter']
  onError(error: unknown): void
}

/** Runs a handler on claimed events, and says how to settle them. */
export class HandlerRunner {
  readonly #handler: EventHandler
  readonly #setup: HandlerSetup

  constructor(handler: EventHandler, setup: HandlerSetup) {
    this.#handler = handler
    this.#setup = setup
  }

  /** All its attempts were started, and none of them ended: its process died each time, or was closed. */
  isExhausted(claim: Claim): boolean {
    return claim.attempt > this.#setup.retry.maxAttempts
  }

  async run(claim: Claim): Promise<Attempt> {
    const startedMs = performance.now()
    const { group, keyOf, retry, scope, signal } = this.#setup
    let outcome: HandlerResult | undefined
    try {
      if (this.isExhausted(claim)) throw attemptsExhausted(claim, retry.maxAttempts)
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
      outcome = (await runInHandlerScope(scope, () => this.#handler(context))) ?? undefined
      const durationMs = performance.now() - startedMs
      return { settlement: this.#acknowledge(claim, outcome, durationMs) }
    } catch (thrown) {
      // What an attempt says of itself is not lost with what it emits.
      const settlement = this.#failed(claim, thrown, performance.now() - startedMs, outcome?.record)
      return { settlement, thrown }
    }
  }

  /** What is stored in place of a settlement that the store refuses for good: why, and what the handler said of itself. */
  refused(claim: Claim, refused: Settlement, refusal: EventBusError): Settlement {
    const durationMs = 'durationMs' in refused ? refused.durationMs : 0
    const stored = { error: describeFailure(refusal).error, durationMs }
    // It may be too large because of what it emits.
    if (emittedBy(refused).length > 0 && refused.kind === 'dead-letter') {
      return { kind: 'dead-letter', ...stored }
    }
    const record = refused.kind === 'ack' ? refused.record : undefined
    return this.#deadLetter(claim, { ...stored, ...(record !== undefined && { record }) })
  }

  #deadLetter(
    { event, eventJson, attempt, replay }: Claim,
    stored: Pick<FailedDelivery, 'error' | 'record'> & { durationMs: number },
  ): Settlement & { kind: 'dead-letter' } {
    const { group, onDeadLetter, encodeEmitted, onError } = this.#setup
    const { error, record } = stored
    if (onDeadLetter === undefined) return { kind: 'dead-letter', ...stored }
    try {
      const letter = {
        event,
        eventJson,
        group,
        attempt,
        replay,
        error,
        ...(record !== undefined && { record }),
      }
      // A new id each time: an event that is redriven and fails again is another dead letter.
      const emit = onDeadLetter(letter).map((input) => encodeEmitted(input, timeOrderedId(), event))
      return { kind: 'dead-letter', emit, ...stored }
    } catch (thrown) {
      onError(thrown)
      return { kind: 'dead-letter', ...stored }
    }
  }

  #acknowledge(claim: Claim, outcome: HandlerResult | undefined, durationMs: number): Settlement {
    const { encodeEmitted } = this.#setup
    const emit = (outcome?.emit ?? []).map((input, n) => this.#encodeEmitted(claim, input, n))
    for (const { event, deliverAtMs } of outcome?.schedule ?? []) {
      const due = deliverAtMs !== undefined && { deliverAtMs }
      emit.push({ ...encodeEmitted(event, event.id, claim.event), ...due })
    }
    const record = this.#fit(jsonCopy(outcome?.record))
    return {
      kind: 'ack',
      emit,
      durationMs,
      ...(record !== undefined && { record }),
      ...(outcome?.state !== undefined && { state: checkedChanges(outcome.state) }),
      ...(outcome?.suspended === true && { suspended: true }),
    }
  }

  #encodeEmitted({ event, replay }: Claim, input: EventInput, n: number): AppendRequest {
    const { group, encodeEmitted } = this.#setup
    try {
      return encodeEmitted(input, emittedId(event, group, n, replay), event)
    } catch (cause) {
      if (!(cause instanceof EventBusError)) throw cause
      const { code, details, message } = cause
      const which = `the emitted event number ${n + 1}`
      // Another attempt would emit the same.
      const refusal = new EventBusError(code, `${which}: ${message}`, { details, cause })
      throw Object.assign(refusal, { retryable: false })
    }
  }

  #fit(record: JsonValue | undefined): JsonValue | undefined {
    return record === undefined ? undefined : fitRecord(record, this.#setup.maxRecordBytes())
  }

  #failed(claim: Claim, thrown: unknown, durationMs: number, said: unknown): Settlement {
    const { keyOf, retry } = this.#setup
    const { error, retryable, record: full = jsonCopy(said), state } = describeFailure(thrown)
    const record = this.#fit(full)
    const stored = { error, durationMs, ...(record !== undefined && { record }) }
    if (!retryable || claim.attempt >= retry.maxAttempts) {
      const letter = this.#deadLetter(claim, stored)
      return state === undefined ? letter : { ...letter, state }
    }
    const delayMs = retryDelayMs(claim.attempt, retry)
    return { kind: 'retry', delayMs, inPlace: keyOf?.(claim) !== undefined, ...stored }
  }
}

function attemptsExhausted(claim: Claim, maxAttempts: number): Error {
  return Object.assign(
    new Error(
      `none of ${claim.attempt - 1} attempts ended: their processes died, or were closed first; at most ${maxAttempts} are made`,
    ),
    { code: 'ATTEMPTS_EXHAUSTED' },
  )
}
