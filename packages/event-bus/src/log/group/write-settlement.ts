import { settledState } from '../../store/backend/delivery-state.js'
import type { Settlement } from '../../store/event-store.js'
import type { Transaction } from '../commit/transaction.js'
import type { LogDeliveryState, LogEngine } from '../log-engine.js'
import { writeState } from '../state/write-state.js'
import type { LogDelivery } from './log-claim.js'

/** Writes how an attempt ended; `retryAtMs` is when the log makes the next one, if it does. */
export function writeSettlement(
  transaction: Transaction,
  group: string,
  delivery: LogDelivery,
  settlement: Exclude<Settlement, { kind: 'release' }>,
  retryAtMs: number | undefined,
  isErased: boolean,
): void {
  const { sequence } = delivery.record
  const inPlace = settlement.kind === 'retry' && settlement.inPlace
  if (delivery.dueAtMs !== undefined && !inPlace) {
    transaction.remove('due', [group, delivery.dueAtMs, sequence])
  }
  // An attempt counts once its handler was started.
  const attempts = delivery.begun ? delivery.attempt : delivery.attempt - 1
  const { replay } = delivery
  const state: LogDeliveryState = settledState(
    { attempts, replay, isErased },
    settlement,
    transaction.now,
  )
  if (inPlace) {
    state.isUnfinished = true
    state.nextAttemptAtMs = transaction.now + settlement.delayMs
  } else if (retryAtMs !== undefined) {
    state.nextAttemptAtMs = retryAtMs
    transaction.put('due', [group, retryAtMs, sequence], {
      kind: 'retry',
      attempt: attempts + 1,
      replay,
      ...(settlement.kind === 'retry' && { delayMs: settlement.delayMs }),
    })
  } else if (settlement.kind === 'dead-letter') {
    transaction.put('dead', [group, sequence], {
      attempts,
      atMs: transaction.now,
      error: state.error!,
      ...(state.record !== undefined && { record: state.record }),
    })
  }
  transaction.put('deliveries', [sequence, group], state)
  if ('state' in settlement) writeState(transaction, group, settlement.state ?? [])
}

/** Writes that an attempt was started whose claim is given back. */
export function writeUnfinished(
  transaction: Transaction,
  engine: LogEngine,
  group: string,
  { record: { sequence }, attempt, replay }: LogDelivery,
): void {
  const before = engine.get('deliveries', [sequence, group])
  transaction.put('deliveries', [sequence, group], {
    ...(before ?? { status: 'pending', replays: replay }),
    attempts: attempt,
    updatedAtMs: transaction.now,
    isUnfinished: true,
  })
}
