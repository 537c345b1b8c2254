import type { Settlement } from '@nexus/event-bus'
import { type DeliveryState, type LetterState, withoutContent } from '../../streams/state.js'
import type { NatsClaim } from './nats-claim.js'

/** What is stored of a settled claim. */
export function toDelivery(claim: NatsClaim, settlement: Settlement, nowMs: number): DeliveryState {
  const base = {
    eventAtMs: claim.time.getTime(),
    replays: claim.replay,
    updatedAtMs: nowMs,
    owner: claim.owner,
    ...(claim.redelivery && { redelivery: true as const }),
  }
  if (settlement.kind === 'release') {
    return { ...base, status: 'pending', attempts: claim.attempt - 1 }
  }
  const state: DeliveryState = {
    ...base,
    status: STATUS[settlement.kind],
    // All attempts of an event may have died with their processes: then none is started any more.
    attempts: claim.isBegun ? claim.attempt : claim.attempt - 1,
    durationMs: settlement.durationMs,
  }
  if (settlement.record !== undefined) state.record = settlement.record
  if (settlement.kind !== 'ack') state.error = settlement.error
  if (settlement.kind === 'retry') state.nextAttemptAtMs = nowMs + settlement.delayMs
  return claim.isErased ? withoutContent(state) : state
}

/** What is stored of a claim whose handler is about to start. */
export function toBegun(claim: NatsClaim, nowMs: number): DeliveryState {
  const state: DeliveryState = {
    status: 'running',
    eventAtMs: claim.time.getTime(),
    attempts: claim.attempt,
    replays: claim.replay,
    updatedAtMs: nowMs,
    owner: claim.owner,
    ...(claim.redelivery && { redelivery: true as const }),
  }
  return claim.isErased ? withoutContent(state) : state
}

/** What is stored of a claim that ended as a dead letter. */
export function toLetter(delivery: DeliveryState): LetterState {
  const { eventAtMs, attempts, updatedAtMs, error, record } = delivery
  return {
    eventAtMs,
    attempts,
    atMs: updatedAtMs,
    error: error!,
    ...(record !== undefined && { record }),
  }
}

const STATUS = { ack: 'succeeded', retry: 'retrying', 'dead-letter': 'dead-lettered' } as const
