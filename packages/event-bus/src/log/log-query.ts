import { matchesPattern } from '../event/pattern.js'
import type {
  Delivery,
  DeliveryStatus,
  EventDetails,
  EventPage,
  ListQuery,
} from '../store/event-store.js'
import type { LogEngine, LogHead, LogRecord } from './log-engine.js'
import type { LogGroup } from './log-group.js'
import { toDelivery, toStoredEvent } from './log-record.js'
import { knownValues, LAST_STRING, sequencesOf } from './postings.js'

/** A page looks at no more events than this, so that a rare match does not stall the process. */
const MAX_SCANNED = 5_000

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
  const since = query.since === undefined ? head.first : firstAtOrAfter(engine, head, query.since)
  const until =
    query.until === undefined ? head.last : firstAtOrAfter(engine, head, query.until) - 1
  const cursor = query.cursor === undefined ? undefined : Number(query.cursor)
  const from = reverse || cursor === undefined ? since : Math.max(since, cursor + 1)
  const to = !reverse || cursor === undefined ? until : Math.min(until, cursor - 1)
  const types = query.type === undefined ? undefined : typesMatching(engine, query.type)
  const limit = query.limit ?? 20

  const page: EventPage = { events: [] }
  let scanned = 0
  for (const sequence of candidates(engine, query, types, from, to, reverse)) {
    if (page.events.length === limit || scanned === MAX_SCANNED) {
      page.cursor = String(reverse ? sequence + 1 : sequence - 1)
      break
    }
    scanned += 1
    const record = engine.get('events', sequence)
    if (record === undefined) continue
    if (query.source !== undefined && record.source !== query.source) continue
    if (query.status !== undefined && !hasStatus(engine, record, query.status, groupOf)) continue
    page.events.push(toStoredEvent(record))
  }
  const total = countMatching(engine, query, types, Math.max(0, until - since + 1))
  if (total !== undefined) page.total = total
  return page
}

/** Sequence of the first event stored at or after `time`; one past the last when there is none. */
export function firstAtOrAfter(engine: LogEngine, head: LogHead, time: string | Date): number {
  const wanted = new Date(time).getTime()
  let low = head.first
  let high = head.last + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const record = engine.get('events', middle)
    if (record === undefined || record.publishedAtMs < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** The stored types that a type or pattern means. */
export function typesMatching(engine: LogEngine, pattern: string): string[] {
  if (!/[*>]/.test(pattern)) return [pattern]
  return knownValues(engine, 'type').filter((type) => matchesPattern(pattern, type))
}

function* candidates(
  engine: LogEngine,
  query: ListQuery,
  types: string[] | undefined,
  from: number,
  to: number,
  reverse: boolean,
): Generator<number> {
  if (types !== undefined) return yield* sequencesOf(engine, 'type', types, from, to, reverse)
  if (query.source !== undefined) {
    return yield* sequencesOf(engine, 'source', [query.source], from, to, reverse)
  }
  const step = reverse ? -1 : 1
  for (let at = reverse ? to : from; at >= from && at <= to; at += step) yield at
}

function countMatching(
  engine: LogEngine,
  query: ListQuery,
  types: string[] | undefined,
  between: number,
): number | undefined {
  const timed = query.since !== undefined || query.until !== undefined
  const filters = Number(types !== undefined) + Number(query.source !== undefined) + Number(timed)
  if (query.status !== undefined || filters > 1) return undefined
  if (types !== undefined) {
    return types.reduce((sum, type) => sum + (engine.get('counts', ['type', type]) ?? 0), 0)
  }
  if (query.source !== undefined) return engine.get('counts', ['source', query.source]) ?? 0
  return between
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
