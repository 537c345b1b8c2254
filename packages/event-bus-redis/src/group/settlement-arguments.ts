import { emittedBy, type Settlement, type StateChange } from '@nexus/event-bus'
import { settledStatus } from '@nexus/event-bus/store'
import type { RedisClaim } from './redis-claim.js'

/** An argument of a script. */
export type Argument = string | number

/** What a settlement writes as the state of the event for the group; the server puts the replay and its times before it. */
export function deliveryJson(
  claim: RedisClaim,
  settlement: Exclude<Settlement, { kind: 'release' }>,
): string {
  const { kind, durationMs, record } = settlement
  return JSON.stringify({
    status: settledStatus(settlement),
    attempts: attemptsOf(claim),
    durationMs,
    record,
    error: kind === 'ack' ? undefined : settlement.error,
  })
}

/** Attempts that were made; a claim whose handler was not started has made none. */
function attemptsOf({ attempt, isBegun }: RedisClaim): number {
  return isBegun ? attempt : attempt - 1
}

/** A settlement as the script `SETTLE` takes it. */
export function settlementArguments(claim: RedisClaim, settlement: Settlement): Argument[] {
  const { work, token } = claim
  const attempts = attemptsOf(claim)
  if (settlement.kind === 'release') return [work, token, 'release', 0, '', attempts, 0, 0]
  const delivery = deliveryJson(claim, settlement)
  switch (settlement.kind) {
    case 'retry': {
      const kind = settlement.inPlace ? 'retry-in-place' : 'retry'
      return [work, token, kind, settlement.delayMs, delivery, attempts, 0, 0]
    }
    case 'dead-letter':
    case 'ack': {
      const { kind, state = [] } = settlement
      const emitted = emittedBy(settlement)
      const events = emitted.flatMap(({ event: { id, type, source }, json, deliverAtMs = 0 }) => [
        id,
        type,
        source,
        json,
        deliverAtMs,
      ])
      const counts = [emitted.length, state.length]
      return [
        work,
        token,
        kind,
        0,
        delivery,
        attempts,
        ...counts,
        ...events,
        ...stateArguments(state),
      ]
    }
  }
}

/** Key and JSON of each change; no JSON is empty, so an empty text removes. */
export function stateArguments(changes: readonly StateChange[]): Argument[] {
  return changes.flatMap(({ key, value }) => [
    key,
    value === undefined ? '' : JSON.stringify(value),
  ])
}
