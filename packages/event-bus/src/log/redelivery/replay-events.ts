import { matchesPattern } from '../../event/pattern.js'
import { eventNotFound, groupsNamed } from '../../store/backend/group-lookup.js'
import type { ReplayQuery, ReplayResult } from '../../store/queries.js'
import type { LogAccess } from '../log-access.js'
import type { GroupEntry, LogEngine, LogRecord } from '../log-engine.js'
import { sequenceOf } from '../query/event-lookup.js'
import { readEvents, typesMatching } from '../query/read-events.js'
import { ReadMeter } from '../query/read-meter.js'
import { rangesBetween } from '../query/time-ranges.js'
import { LAST_STRING } from '../query/value-index.js'
import { redeliver } from './redeliver.js'

/** Events put back into `due` by one commit; between two of them others get their turn. */
const CHUNK = 500

type Group = GroupEntry & { name: string }
type Replayed = Pick<LogRecord, 'sequence' | 'type'>

/** Delivers stored events again to the groups whose patterns match. */
export async function replayEvents(log: LogAccess, query: ReplayQuery): Promise<ReplayResult> {
  const groups = groupsNamed(knownGroups(log.engine), query.groups)
  const result: ReplayResult = { events: 0, deliveries: 0 }
  const meter = new ReadMeter()
  let chunk: Replayed[] = []
  for (const record of wantedRecords(log, query)) {
    meter.add(record?.json)
    if (meter.isTurnOver) await meter.turn()
    if (record === undefined || !matchesPattern(patternOf(query), record.type)) continue
    chunk.push({ sequence: record.sequence, type: record.type })
    if (chunk.length < CHUNK) continue
    await replayChunk(log, chunk, groups, result)
    chunk = []
  }
  await replayChunk(log, chunk, groups, result)
  return result
}

function knownGroups(engine: LogEngine): Group[] {
  const groups: Group[] = []
  for (const { key, value } of engine.range('groups', { start: '', end: LAST_STRING })) {
    groups.push({ name: key, ...value })
  }
  return groups
}

function patternOf(query: ReplayQuery): string {
  return 'id' in query ? '>' : (query.type ?? '>')
}

/** What may have to be replayed; undefined for an event that is gone. */
function* wantedRecords(
  { engine, head }: LogAccess,
  query: ReplayQuery,
): Generator<LogRecord | undefined> {
  if ('id' in query) {
    const sequence = sequenceOf(engine, query)
    if (sequence === undefined) throw eventNotFound(query.id)
    yield engine.get('events', sequence)
    return
  }
  const types = typesMatching(engine, patternOf(query))
  for (const range of rangesBetween(engine, head, query)) {
    for (const { record } of readEvents(engine, { types }, range, false)) yield record
  }
}

async function replayChunk(
  log: LogAccess,
  events: readonly Replayed[],
  groups: readonly Group[],
  result: ReplayResult,
): Promise<void> {
  if (events.length === 0) return
  result.events += events.length
  await log.queue.run((transaction) => {
    for (const { sequence, type } of events) {
      for (const { name, patterns } of groups) {
        if (!patterns.some((pattern) => matchesPattern(pattern, type))) continue
        if (redeliver(log, transaction, [name, sequence], 'replay')) result.deliveries += 1
        transaction.remove('dead', [name, sequence])
      }
    }
  })
}
