import { EventBusError } from '../errors.js'
import { matchesPattern } from '../event/pattern.js'
import type { ReplayQuery, ReplayResult } from '../store/event-store.js'
import { sequenceOf } from './event-lookup.js'
import type { LogAccess } from './log-access.js'
import type { GroupEntry, LogEngine, LogRecord } from './log-engine.js'
import { recordsOf, typesMatching } from './log-query.js'
import { LAST_STRING } from './postings.js'
import { redeliver } from './redeliver.js'
import { rangesBetween } from './time-ranges.js'

/** Events put back into `due` by one commit; between two of them others get their turn. */
const CHUNK = 500

/** Delivers stored events again to the groups whose patterns match. */
export async function replayEvents(log: LogAccess, query: ReplayQuery): Promise<ReplayResult> {
  const groups = wantedGroups(log.engine, query.groups)
  const result: ReplayResult = { events: 0, deliveries: 0 }
  let chunk: LogRecord[] = []
  let lookedAt = 0
  for (const record of wantedRecords(log, query)) {
    lookedAt += 1
    if (lookedAt % CHUNK === 0) await new Promise((resolve) => setImmediate(resolve))
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

/** What to replay; undefined for a record that was looked at in vain. */
function* wantedRecords(
  { engine, head }: LogAccess,
  query: ReplayQuery,
): Generator<LogRecord | undefined> {
  if ('id' in query) {
    const sequence = sequenceOf(engine, query)
    if (sequence !== undefined) return yield engine.get('events', sequence)
    throw new EventBusError('NOT_FOUND', `id: expected a stored event, got ${query.id}`, {
      details: { id: query.id },
    })
  }
  const pattern = query.type ?? '>'
  const types = typesMatching(engine, pattern)
  for (const range of rangesBetween(engine, head, query)) {
    for (const record of recordsOf(engine, { types }, range, false)) {
      const wanted = record !== undefined && matchesPattern(pattern, record.type)
      yield wanted ? record : undefined
    }
  }
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
        if (redeliver(log, draft, [name, record.sequence], 'replay')) result.deliveries += 1
        draft.remove('dead', [name, record.sequence])
      }
    }
  })
}
