import type { DeliveryStatus, Settlement } from '../store/event-store.js'
import type { Work } from './log-claim.js'
import type { LogDraft } from './log-draft.js'
import type { DeliveryEntry } from './log-engine.js'

const STATUS = {
  ack: 'succeeded',
  retry: 'retrying',
  'dead-letter': 'dead-lettered',
} as const satisfies Record<string, DeliveryStatus>

/** Writes how an attempt ended; `retryAtMs` is when the log makes the next one, if it does. */
export function writeSettlement(
  draft: LogDraft,
  group: string,
  work: Work,
  settlement: Exclude<Settlement, { kind: 'release' }>,
  retryAtMs: number | undefined,
  isErased: boolean,
): void {
  const { sequence } = work.record
  const holds = settlement.kind === 'retry' && settlement.hold
  if (work.dueAtMs !== undefined && !holds) draft.remove('due', [group, work.dueAtMs, sequence])
  // An attempt counts once its handler was started.
  const attempts = work.begun ? work.attempt : work.attempt - 1
  const delivery: DeliveryEntry = {
    status: STATUS[settlement.kind],
    attempts,
    replays: work.replay,
    updatedAtMs: draft.now,
    durationMs: settlement.durationMs,
  }
  if (settlement.record !== undefined && !isErased) delivery.record = settlement.record
  const error =
    settlement.kind === 'ack' ? undefined : isErased ? { message: 'erased' } : settlement.error
  if (error !== undefined) delivery.error = error
  if (holds) {
    delivery.held = true
    delivery.nextAttemptAtMs = draft.now + settlement.delayMs
  } else if (retryAtMs !== undefined) {
    delivery.nextAttemptAtMs = retryAtMs
    draft.put('due', [group, retryAtMs, sequence], {
      kind: 'retry',
      attempt: attempts + 1,
      replay: work.replay,
      ...(settlement.kind === 'retry' && { delayMs: settlement.delayMs }),
    })
  } else if (settlement.kind === 'dead-letter') {
    draft.put('dead', [group, sequence], {
      attempts,
      atMs: draft.now,
      error: error!,
      ...(delivery.record !== undefined && { record: delivery.record }),
    })
  }
  draft.put('deliveries', [sequence, group], delivery)
}
