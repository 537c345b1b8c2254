import { matchesPattern } from '../event/pattern.js'
import type {
  Delivery,
  DeliveryStatus,
  EventDetails,
  EventPage,
  ListQuery,
} from '../store/event-store.js'
import { PageSize } from '../store/page-size.js'
import type { LogEngine, LogHead, LogRecord } from './log-engine.js'
import type { LogGroup } from './log-group.js'
import { toDelivery, toStoredEvent } from './log-record.js'
import { knownValues, LAST_STRING, sequencesOf } from './postings.js'
import { rangesBetween, type SequenceRange } from './time-ranges.js'

/** A page looks at no more events than this, so that a rare match does not stall the process. */
const MAX_SCANNED = 5_000
/** With more types than this that a pattern may mean, the log itself is read. */
const MAX_TYPES = 1_000
const READ_AT_ONCE = 64

type GroupOf = (name: string) => LogGroup | undefined

/** An event with what each group did with it. */
export function describeEvent(
  engine: LogEngine,
  record: LogRecord,
  groupOf: GroupOf,
): EventDetails {
  return { ...toStoredEvent(record), deliveries: deliveriesOf(engine, record, groupOf) }
}

/** One page of the log. */
export function listEvents(
  engine: LogEngine,
  head: LogHead,
  query: ListQuery,
  groupOf: GroupOf,
): EventPage {
  const reverse = query.order !== 'asc'
  const cursor = query.cursor === undefined ? undefined : Number(query.cursor)
  const types = query.type === undefined ? undefined : typesMatching(engine, query.type)
  const limit = query.limit ?? 20
  const ranges = rangesBetween(engine, head, query)
  const size = new PageSize(query.maxPageBytes)
  const page: EventPage = { events: [] }
  let scanned = 0
  let last: number | undefined
  for (const { sequence, record } of lookedAt(engine, query, types, ranges, cursor, reverse)) {
    if (page.events.length === limit || size.isFull || scanned === MAX_SCANNED) {
      page.cursor = String(last)
      break
    }
    scanned += 1
    last = sequence
    if (record === undefined) continue
    if (query.type !== undefined && !matchesPattern(query.type, record.type)) continue
    if (query.source !== undefined && record.source !== query.source) continue
    if (query.status !== undefined && !hasStatus(engine, record, query.status, groupOf)) continue
    size.add(record.json)
    page.events.push(toStoredEvent(record))
  }
  const total = countMatching(engine, query, types, head.events)
  if (total !== undefined) page.total = total
  return page
}

/** The stored types that a type or pattern means; undefined when there are so many that looking at the log is less work. */
export function typesMatching(engine: LogEngine, pattern: string): string[] | undefined {
  const wildcard = pattern.search(/[*>]/)
  if (wildcard < 0) return [pattern]
  const known = knownValues(engine, 'type', pattern.slice(0, wildcard), MAX_TYPES)
  return known?.filter((type) => matchesPattern(pattern, type))
}

/** The records of a range, by the index where there is one for what is asked; undefined for one that is gone. */
export function* recordsOf(
  engine: LogEngine,
  { types, source }: { types?: string[] | undefined; source?: string | undefined },
  { from, to }: SequenceRange,
  reverse: boolean,
): Generator<LogRecord | undefined> {
  if (types === undefined && source === undefined) {
    return yield* allRecords(engine, { from, to }, reverse)
  }
  const indexed =
    types === undefined
      ? sequencesOf(engine, 'source', [source!], from, to, reverse)
      : sequencesOf(engine, 'type', types, from, to, reverse)
  for (const sequence of indexed) yield engine.get('events', sequence)
}

function* allRecords(
  engine: LogEngine,
  { from, to }: SequenceRange,
  reverse: boolean,
): Generator<LogRecord> {
  let [low, high] = [from, to]
  while (low <= high) {
    const range = reverse
      ? { start: high, end: low - 0.5, reverse, limit: READ_AT_ONCE }
      : { start: low, end: high + 1, limit: READ_AT_ONCE }
    const records = [...engine.range('events', range)]
    for (const { value } of records) yield value
    if (records.length < READ_AT_ONCE) return
    if (reverse) high = records.at(-1)!.key - 1
    else low = records.at(-1)!.key + 1
  }
}

function* lookedAt(
  engine: LogEngine,
  query: ListQuery,
  types: string[] | undefined,
  ranges: readonly SequenceRange[],
  cursor: number | undefined,
  reverse: boolean,
): Generator<{ sequence: number; record: LogRecord | undefined }> {
  const { source } = query
  const wanted = { types, source: query.type === undefined ? source : undefined }
  for (const range of reverse ? ranges.toReversed() : ranges) {
    const from = reverse || cursor === undefined ? range.from : Math.max(range.from, cursor + 1)
    const to = !reverse || cursor === undefined ? range.to : Math.min(range.to, cursor - 1)
    if (from > to) continue
    for (const record of recordsOf(engine, wanted, { from, to }, reverse)) {
      if (record !== undefined) yield { sequence: record.sequence, record }
    }
  }
}

function countMatching(
  engine: LogEngine,
  query: ListQuery,
  types: string[] | undefined,
  all: number,
): number | undefined {
  const timed = query.since !== undefined || query.until !== undefined
  const filters = Number(query.type !== undefined) + Number(query.source !== undefined)
  if (query.status !== undefined || timed || filters > 1) return undefined
  if (query.type !== undefined && types === undefined) return undefined
  if (types !== undefined) {
    return types.reduce((sum, type) => sum + (engine.get('counts', ['type', type]) ?? 0), 0)
  }
  if (query.source !== undefined) return engine.get('counts', ['source', query.source]) ?? 0
  return all
}

function deliveriesOf(engine: LogEngine, record: LogRecord, groupOf: GroupOf): Delivery[] {
  const kept = new Map<string, Delivery>()
  for (const { key, value } of engine.range('deliveries', {
    start: [record.sequence, ''],
    end: [record.sequence, LAST_STRING],
  })) {
    const running = groupOf(key[1])?.isRunning(record.sequence) === true
    kept.set(key[1], toDelivery(key[1], value, running))
  }
  for (const { key: group, value } of engine.range('groups', { start: '', end: LAST_STRING })) {
    if (kept.has(group) || record.sequence <= value.startAfter) continue
    if (!value.patterns.some((pattern) => matchesPattern(pattern, record.type))) continue
    const running = groupOf(group)?.isRunning(record.sequence) === true
    kept.set(group, {
      group,
      status: running ? 'running' : 'pending',
      attempts: running ? 1 : 0,
      replays: 0,
      updatedAt: new Date(record.publishedAtMs).toISOString(),
    })
  }
  return [...kept.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}

function hasStatus(
  engine: LogEngine,
  record: LogRecord,
  status: DeliveryStatus,
  groupOf: GroupOf,
): boolean {
  return deliveriesOf(engine, record, groupOf).some((delivery) => delivery.status === status)
}
