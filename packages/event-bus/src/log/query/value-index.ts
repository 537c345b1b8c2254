import type { SequenceRange } from '../../store/backend/sequence-range.js'
import type { LogEngine } from '../log-engine.js'

/** Which events of a range have one of these values, in order of sequence. */
export function* sequencesOf(
  engine: LogEngine,
  attribute: 'type' | 'source',
  values: readonly string[],
  range: SequenceRange,
  reverse: boolean,
): Generator<number> {
  const cursors: { next: number; rest: Generator<number> }[] = []
  for (const value of values) {
    const rest = oneValue(engine, attribute, value, range, reverse)
    const first = rest.next()
    if (first.done !== true) cursors.push({ next: first.value, rest })
  }
  while (cursors.length > 0) {
    let best = cursors[0]!
    for (const cursor of cursors) {
      if (reverse ? cursor.next > best.next : cursor.next < best.next) best = cursor
    }
    yield best.next
    const following = best.rest.next()
    if (following.done === true) cursors.splice(cursors.indexOf(best), 1)
    else best.next = following.value
  }
}

/** Values of an attribute that some stored event has and that begin with `prefix`; undefined when there are more than `most`. */
export function knownValues(
  engine: LogEngine,
  attribute: 'type' | 'source',
  prefix: string,
  most: number,
): string[] | undefined {
  const found: string[] = []
  for (const { key } of engine.range('counts', {
    start: [attribute, prefix],
    end: [attribute, prefix + LAST_STRING],
    limit: most + 1,
  })) {
    found.push(key[1])
  }
  return found.length > most ? undefined : found
}

/** Sorts after every type and source, which are UTF-8 text. */
export const LAST_STRING = '\u{10ffff}'

/** Entries read at once; a commit of a busy log holds many sequences in one entry. */
const CHUNK = 32

function* oneValue(
  engine: LogEngine,
  attribute: string,
  value: string,
  { from, to }: SequenceRange,
  reverse: boolean,
): Generator<number> {
  if (from > to) return
  // An entry that starts before `from` may reach into the range.
  const [before] = engine.range('valueIndex', {
    start: [attribute, value, from],
    end: [attribute, value, -1],
    reverse: true,
    limit: 1,
  })
  const lowest = before === undefined ? from : before.key[2]
  let position = reverse ? to : lowest
  for (;;) {
    const entries = [
      ...engine.range('valueIndex', {
        start: [attribute, value, position],
        end: [attribute, value, reverse ? lowest - 0.5 : to + 0.5],
        reverse,
        limit: CHUNK,
      }),
    ]
    for (const { key, value: sequences } of entries) {
      for (const sequence of reverse ? sequences.toReversed() : sequences) {
        if (sequence >= from && sequence <= to) yield sequence
      }
      position = key[2] + (reverse ? -0.5 : 0.5)
    }
    if (entries.length < CHUNK) return
  }
}
