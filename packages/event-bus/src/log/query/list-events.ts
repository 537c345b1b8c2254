import { matchesPattern } from '../../event/pattern.js'
import { PageSize } from '../../store/backend/page-size.js'
import { restOfRange, type SequenceRange } from '../../store/backend/sequence-range.js'
import type { EventPage, ListQuery } from '../../store/queries.js'
import type { LogEngine, LogHead, LogRecord } from '../log-engine.js'
import { deliveriesOf, type GroupOf } from './deliveries-of.js'
import { readEvents, typesMatching } from './read-events.js'
import { ReadMeter } from './read-meter.js'
import { rangesBetween } from './time-ranges.js'
import { toStoredEvent } from './to-stored-event.js'

/** A page looks at no more events than this, so that a rare match does not keep its caller waiting. */
const MAX_SCANNED = 5_000
/** A page reads no further once it has read this many bytes of events, and of deliveries where it filters by status. */
export const MAX_SCANNED_BYTES = 16 * 1024 * 1024

/**
 * One page of the log. It ends early, with its cursor, when it has looked at much without finding enough; others get their
 * turn meanwhile.
 */
export async function listEvents(
  engine: LogEngine,
  head: LogHead,
  query: ListQuery,
  groupOf: GroupOf,
): Promise<EventPage> {
  const types = query.type === undefined ? undefined : typesMatching(engine, query.type)
  const limit = query.limit ?? 20
  const size = new PageSize(query.maxPageBytes)
  const meter = new ReadMeter()
  const page: EventPage = { events: [] }
  let last: number | undefined
  for (const { sequence, record } of wantedEvents(engine, head, query, types)) {
    const isFull = page.events.length === limit || size.isFull
    if (isFull || meter.events >= MAX_SCANNED || meter.bytes >= MAX_SCANNED_BYTES) {
      page.cursor = String(last)
      break
    }
    last = sequence
    meter.add(record?.json)
    if (record !== undefined && matches(engine, record, query, groupOf, meter)) {
      size.add(record.json)
      page.events.push(toStoredEvent(record))
    }
    if (meter.isTurnOver) await meter.turn()
  }
  const total = countMatching(engine, query, types, head.events)
  if (total !== undefined) page.total = total
  return page
}

function* wantedEvents(
  engine: LogEngine,
  head: LogHead,
  query: ListQuery,
  types: string[] | undefined,
): Generator<{ sequence: number; record: LogRecord | undefined }> {
  const reverse = query.order !== 'asc'
  const ranges: SequenceRange[] = rangesBetween(engine, head, query)
  const indexed = { types, source: query.type === undefined ? query.source : undefined }
  for (const range of reverse ? ranges.toReversed() : ranges) {
    const rest = restOfRange(query, range)
    if (rest.from <= rest.to) yield* readEvents(engine, indexed, rest, reverse)
  }
}

function matches(
  engine: LogEngine,
  record: LogRecord,
  { type, source, status }: ListQuery,
  groupOf: GroupOf,
  meter: ReadMeter,
): boolean {
  if (type !== undefined && !matchesPattern(type, record.type)) return false
  if (source !== undefined && record.source !== source) return false
  if (status === undefined) return true
  const deliveries = deliveriesOf(engine, record, groupOf)
  for (const delivery of deliveries) {
    if (delivery.record !== undefined) meter.bytes += JSON.stringify(delivery.record).length
  }
  return deliveries.some((delivery) => delivery.status === status)
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
