import { matchesPattern } from '../../event/pattern.js'
import type { SequenceRange } from '../../store/backend/sequence-range.js'
import type { LogEngine, LogRecord } from '../log-engine.js'
import { knownValues, sequencesOf } from './value-index.js'

/** With more types than this that a pattern may mean, the log itself is read. */
const MAX_TYPES = 1_000
/** Events read at once: at most this many, and no further one once they have this many bytes. */
const READ_AT_ONCE = 64
const READ_AT_ONCE_BYTES = 256 * 1024

/** The stored types that a type or pattern means; undefined when there are too many: then reading the log is less work. */
export function typesMatching(engine: LogEngine, pattern: string): string[] | undefined {
  const wildcard = pattern.search(/[*>]/)
  if (wildcard < 0) return [pattern]
  const known = knownValues(engine, 'type', pattern.slice(0, wildcard), MAX_TYPES)
  return known?.filter((type) => matchesPattern(pattern, type))
}

/**
 * The events of a range with their sequences, by the index where there is one for what is asked; without a record for one
 * that is gone. The reader may pause between two of them.
 */
export function* readEvents(
  engine: LogEngine,
  { types, source }: { types?: string[] | undefined; source?: string | undefined },
  range: SequenceRange,
  reverse: boolean,
): Generator<{ sequence: number; record: LogRecord | undefined }> {
  if (types === undefined && source === undefined) return yield* allEvents(engine, range, reverse)
  const indexed =
    types === undefined
      ? sequencesOf(engine, 'source', [source!], range, reverse)
      : sequencesOf(engine, 'type', types, range, reverse)
  for (const sequence of indexed) yield { sequence, record: engine.get('events', sequence) }
}

function* allEvents(
  engine: LogEngine,
  { from, to }: SequenceRange,
  reverse: boolean,
): Generator<{ sequence: number; record: LogRecord }> {
  let [low, high] = [from, to]
  while (low <= high) {
    const { records, isWhole } = readSome(engine, { from: low, to: high }, reverse)
    for (const record of records) yield { sequence: record.sequence, record }
    if (isWhole) return
    if (reverse) high = records.at(-1)!.sequence - 1
    else low = records.at(-1)!.sequence + 1
  }
}

/** The first events of a range, at least one; `isWhole` when there are no others. */
function readSome(
  engine: LogEngine,
  { from, to }: SequenceRange,
  reverse: boolean,
): { records: LogRecord[]; isWhole: boolean } {
  const records: LogRecord[] = []
  let bytes = 0
  const range = reverse
    ? { start: to, end: from - 0.5, reverse, limit: READ_AT_ONCE }
    : { start: from, end: to + 1, limit: READ_AT_ONCE }
  for (const { value } of engine.range('events', range)) {
    records.push(value)
    bytes += Buffer.byteLength(value.json)
    if (bytes >= READ_AT_ONCE_BYTES) return { records, isWhole: false }
  }
  return { records, isWhole: records.length < READ_AT_ONCE }
}
