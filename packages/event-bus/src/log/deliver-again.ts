import type { LogDraft } from './log-draft.js'
import type { DueEntry } from './log-engine.js'
import type { LogAccess } from './log-replay.js'

/** Makes a stored event due for a group now, with a fresh count of attempts, whatever became of it before. */
export function deliverAgain(
  log: LogAccess,
  draft: LogDraft,
  [name, sequence]: [group: string, sequence: number],
  kind: Extract<DueEntry['kind'], 'replay' | 'redrive'>,
): void {
  const group = log.groupOf(name)
  const dueAtMs = group?.dueTimeOf(sequence, draft.now) ?? draft.now
  const before = log.engine.get('deliveries', [sequence, name])?.replays ?? 0
  const replays = kind === 'replay' ? before + 1 : before
  draft.put('due', [name, dueAtMs, sequence], { kind, attempt: 1, replay: replays })
  draft.put('deliveries', [sequence, name], {
    status: 'pending',
    attempts: 0,
    replays,
    updatedAtMs: draft.now,
    nextAttemptAtMs: dueAtMs,
  })
  if (group !== undefined) draft.afterCommit.push(() => group.wakeAt(dueAtMs, sequence))
}
