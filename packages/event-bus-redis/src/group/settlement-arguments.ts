import type { Settlement } from '@nexus/event-bus'
import type { RedisClaim } from './redis-claim.js'

const STATUS = { ack: 'succeeded', retry: 'retrying', 'dead-letter': 'dead-lettered' } as const

/** An argument of a script. */
export type Argument = string | number

/** What a settlement writes as the state of the event for the group; the server puts the replay and its times before it. */
export function deliveryJson(
  claim: RedisClaim,
  settlement: Exclude<Settlement, { kind: 'release' }>,
): string {
  const { kind, durationMs, record } = settlement
  return JSON.stringify({
    status: STATUS[kind],
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
  if (settlement.kind === 'release') return [work, token, 'release', 0, '', attempts, 0]
  const delivery = deliveryJson(claim, settlement)
  switch (settlement.kind) {
    case 'retry': {
      const kind = settlement.inPlace ? 'retry-in-place' : 'retry'
      return [work, token, kind, settlement.delayMs, delivery, attempts, 0]
    }
    case 'dead-letter':
      return [work, token, 'dead-letter', 0, delivery, attempts, 0]
    case 'ack': {
      const emitted = settlement.emit.flatMap(({ event: { id, type, source }, json }) => [
        id,
        type,
        source,
        json,
      ])
      return [work, token, 'ack', 0, delivery, attempts, settlement.emit.length, ...emitted]
    }
  }
}
