import type { Transaction } from '../commit/transaction.js'
import type { LogAccess } from '../log-access.js'
import type { DueEntry } from '../log-engine.js'

/**
 * Makes a stored event due for a group now, with a fresh count of attempts, whatever happened to it before. One
 * redelivery of an event waits at a time: false when one is waiting already. A replay makes a redrive that waits a replay.
 */
export function redeliver(
  log: LogAccess,
  transaction: Transaction,
  [name, sequence]: [group: string, sequence: number],
  kind: Extract<DueEntry['kind'], 'replay' | 'redrive'>,
): boolean {
  const key = `${name} ${sequence}`
  if (transaction.redelivered.has(key)) return false
  transaction.redelivered.add(key)
  const group = log.groupOf(name)
  const delivery = log.engine.get('deliveries', [sequence, name])
  const waiting = waitingRedelivery(log, [name, sequence])
  if (waiting !== undefined && (waiting.kind === 'replay' || kind === 'redrive')) return false
  const before = delivery?.replays ?? 0
  const replays = kind === 'replay' ? before + 1 : before
  const dueAtMs =
    waiting?.dueAtMs ??
    group?.dueTimeOf(sequence, transaction.now) ??
    freeTime(log, name, sequence, transaction.now)
  transaction.put('due', [name, dueAtMs, sequence], {
    kind,
    attempt: 1,
    replay: replays,
    delayMs: 0,
  })
  transaction.put('deliveries', [sequence, name], {
    status: 'pending',
    attempts: 0,
    replays,
    updatedAtMs: transaction.now,
    nextAttemptAtMs: dueAtMs,
  })
  if (group !== undefined) transaction.afterCommit.push(() => group.wakeAt(dueAtMs, sequence))
  return waiting === undefined
}

/** The redelivery of the event that no consumer has taken yet. */
function waitingRedelivery(
  { engine, groupOf }: LogAccess,
  [name, sequence]: [group: string, sequence: number],
): { kind: 'replay' | 'redrive'; dueAtMs: number } | undefined {
  const delivery = engine.get('deliveries', [sequence, name])
  const dueAtMs = delivery?.nextAttemptAtMs
  if (delivery?.status !== 'pending' || dueAtMs === undefined) return undefined
  const entry = engine.get('due', [name, dueAtMs, sequence])
  if (entry?.kind !== 'replay' && entry?.kind !== 'redrive') return undefined
  return groupOf(name)?.isOut(dueAtMs, sequence) ? undefined : { kind: entry.kind, dueAtMs }
}

function freeTime({ engine }: LogAccess, name: string, sequence: number, wantedMs: number): number {
  let dueAtMs = wantedMs
  while (engine.get('due', [name, dueAtMs, sequence]) !== undefined) dueAtMs += 1
  return dueAtMs
}
