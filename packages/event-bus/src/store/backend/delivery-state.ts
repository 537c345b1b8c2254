import type { JsonValue } from '../../event/cloud-event.js'
import type { Settlement } from '../event-store.js'
import type {
  DeadLetter,
  Delivery,
  DeliveryError,
  DeliveryStatus,
  StoredEvent,
} from '../stored-event.js'

/** What a store keeps of one event for one group; times are epoch milliseconds. */
export interface DeliveryState<Status extends DeliveryStatus = DeliveryStatus> {
  /** Where the event stands. */
  status: Status
  /** Handler starts since the event was published, replayed or redriven. */
  attempts: number
  /** How often the event was replayed to the group. */
  replays: number
  /** When it changed last. */
  updatedAtMs: number
  /** How long the last attempt took. */
  durationMs?: number
  /** What the handler stored with the attempt. */
  record?: JsonValue
  /** Why the last attempt failed. */
  error?: DeliveryError
  /** When the next attempt is due. */
  nextAttemptAtMs?: number
}

/** What a store keeps of a dead letter. */
export interface DeadLetterState {
  /** Handler starts. */
  attempts: number
  /** Epoch milliseconds at which the group gave up. */
  atMs: number
  /** Why the last attempt failed. */
  error: DeliveryError
  /** What the handler stored with its last attempt. */
  record?: JsonValue
}

type SettledStatus = Exclude<DeliveryStatus, 'pending' | 'running'>

/** The status that a settlement gives an event. */
export function settledStatus(settlement: Exclude<Settlement, { kind: 'release' }>): SettledStatus {
  switch (settlement.kind) {
    case 'ack':
      return settlement.suspended === true ? 'suspended' : 'succeeded'
    case 'retry':
      return 'retrying'
    case 'dead-letter':
      return 'dead-lettered'
  }
}

/** An error in place of one that may show an erased event. */
export const ERASED_ERROR: DeliveryError = { message: 'erased' }

/**
 * What is kept of a settled claim: its result, or nothing that may show the event where that was erased. A store adds when
 * the next attempt is due.
 */
export function settledState(
  { attempts, replay, isErased }: { attempts: number; replay: number; isErased: boolean },
  settlement: Exclude<Settlement, { kind: 'release' }>,
  nowMs: number,
): DeliveryState<SettledStatus> {
  const { durationMs, record } = settlement
  const state = {
    status: settledStatus(settlement),
    attempts,
    replays: replay,
    updatedAtMs: nowMs,
    durationMs,
    ...(record !== undefined && { record }),
    ...(settlement.kind !== 'ack' && { error: settlement.error }),
  }
  return isErased ? withoutContent(state) : state
}

/** What is kept once the event was erased. */
export function withoutContent<T extends { record?: JsonValue; error?: DeliveryError }>(
  state: T,
): T {
  const { record: _, error, ...rest } = state
  return (error === undefined ? rest : { ...rest, error: ERASED_ERROR }) as T
}

/** A kept delivery as callers of the bus see it. */
export function toDelivery(group: string, state: DeliveryState, isRunning = false): Delivery {
  const delivery: Delivery = {
    group,
    status: isRunning ? 'running' : state.status,
    attempts: state.attempts,
    replays: state.replays,
    updatedAt: new Date(state.updatedAtMs).toISOString(),
  }
  if (state.durationMs !== undefined) delivery.durationMs = state.durationMs
  if (state.record !== undefined) delivery.record = state.record
  if (state.error !== undefined) delivery.error = state.error
  if (state.nextAttemptAtMs !== undefined) {
    delivery.nextAttemptAt = new Date(state.nextAttemptAtMs).toISOString()
  }
  return delivery
}

/** The delivery of an event that a group gets and of which nothing is kept yet. */
export function toFirstDelivery(group: string, publishedAt: string, isRunning: boolean): Delivery {
  return {
    group,
    status: isRunning ? 'running' : 'pending',
    attempts: Number(isRunning),
    replays: 0,
    updatedAt: publishedAt,
  }
}

/** A dead letter as callers of the bus see it. */
export function toDeadLetter(
  event: StoredEvent,
  group: string,
  { attempts, atMs, error, record }: DeadLetterState,
): DeadLetter {
  return {
    ...event,
    group,
    attempts,
    deadLetteredAt: new Date(atMs).toISOString(),
    error,
    ...(record !== undefined && { record }),
  }
}
