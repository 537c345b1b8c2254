import { EventBusError } from '../errors.js'
import { matchesPattern } from '../event/pattern.js'
import type { ReplayQuery, ReplayResult } from '../store/event-store.js'
import type { CommitQueue } from './commit-queue.js'
import { deliverAgain } from './deliver-again.js'
import type { GroupEntry, LogEngine, LogHead, LogRecord } from './log-engine.js'
import type { LogGroup } from './log-group.js'
import { firstAtOrAfter, typesMatching } from './log-query.js'
import { LAST_STRING, sequencesOf } from './postings.js'

/** What replay and dead letters need of the store. */
export interface LogAccess {
  engine: LogEngine
  queue: CommitQueue
  head: LogHead
  groupOf(name: string): LogGroup | undefined
}

/** Events put back into `due` by one commit; between two of them others get their turn. */
const CHUNK = 500

/** Delivers stored events again to the groups whose patterns match. */
export async function replayEvents(log: LogAccess, query: ReplayQuery): Promise<ReplayResult> {
  const groups = wantedGroups(log.engine, query.groups)
  const result: ReplayResult = { events: 0, deliveries: 0 }
  let chunk: LogRecord[] = []
  for (const sequence of wantedSequences(log, query)) {
    const record = log.engine.get('events', sequence)
    if (record === undefined) continue
    chunk.push(record)
    if (chunk.length < CHUNK) continue
    await replayChunk(log, chunk, groups, result)
    chunk = []
  }
  await replayChunk(log, chunk, groups, result)
  return result
}

function wantedGroups(engine: LogEngine, names: readonly string[] | undefined) {
  const groups: { name: string; entry: GroupEntry }[] = []
  for (const { key, value } of engine.range('groups', { start: '', end: LAST_STRING })) {
    if (names === undefined || names.includes(key)) groups.push({ name: key, entry: value })
  }
  const missing = names?.find((name) => !groups.some((group) => group.name === name))
  if (missing === undefined) return groups
  throw new EventBusError('NOT_FOUND', `groups: expected names of known groups, got ${missing}`, {
    details: { group: missing },
  })
}

function wantedSequences({ engine, head }: LogAccess, query: ReplayQuery): Iterable<number> {
  if ('id' in query) {
    const sequence = engine.get('ids', query.id)
    if (sequence !== undefined) return [sequence]
    throw new EventBusError('NOT_FOUND', `id: expected a stored event, got ${query.id}`, {
      details: { id: query.id },
    })
  }
  const from = query.since === undefined ? head.first : firstAtOrAfter(engine, head, query.since)
  const to = query.until === undefined ? head.last : firstAtOrAfter(engine, head, query.until) - 1
  const types = typesMatching(engine, query.type ?? '>')
  // Read before the first change: the replay itself moves nothing in these tables.
  return sequencesOf(engine, 'type', types, from, to, false)
}

async function replayChunk(
  log: LogAccess,
  records: readonly LogRecord[],
  groups: readonly { name: string; entry: GroupEntry }[],
  result: ReplayResult,
): Promise<void> {
  if (records.length === 0) return
  result.events += records.length
  await log.queue.run((draft) => {
    for (const record of records) {
      for (const { name, entry } of groups) {
        if (!entry.patterns.some((pattern) => matchesPattern(pattern, record.type))) continue
        result.deliveries += 1
        deliverAgain(log, draft, [name, record.sequence], 'replay')
        draft.remove('dead', [name, record.sequence])
      }
    }
  })
}
