import type { Settlement, StateChange } from '@nexus/event-bus'
import { settledStatus } from '@nexus/event-bus/store'
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
  // All attempts of an event may have died with their processes: then none is started any more.
  const attempts = claim.isBegun ? claim.attempt : claim.attempt - 1
  if (settlement.kind === 'release') return { ...base, status: 'pending', attempts }
  const state: DeliveryState = {
    ...base,
    status: settledStatus(settlement),
    attempts,
    durationMs: settlement.durationMs,
  }
  if (settlement.record !== undefined) state.record = settlement.record
  if (settlement.kind !== 'ack') state.error = settlement.error
  if (settlement.kind === 'retry') state.nextAttemptAtMs = nowMs + settlement.delayMs
  const changes = changesOf(settlement)
  if (changes.length > 0) state.changed = changes.map(({ key }) => key)
  return claim.isErased ? withoutContent(state) : state
}

/** What a settlement changes of what the group keeps. */
export function changesOf(settlement: Settlement): readonly StateChange[] {
  return ('state' in settlement ? settlement.state : undefined) ?? []
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
