import type { SequenceRange } from '../../store/backend/sequence-range.js'
import { TimeSearch } from '../../store/backend/time-search.js'
import type { LogEngine, LogHead } from '../log-engine.js'

interface Times {
  since?: string | Date | undefined
  until?: string | Date | undefined
}

/**
 * Where the events lie that were stored at or after `since` and before `until`, in order of sequence. It is one
 * range unless the wall clock was set back: within each stretch between two falls the times rise.
 */
export function rangesBetween(
  engine: LogEngine,
  head: LogHead,
  { since, until }: Times,
): SequenceRange[] {
  if (since === undefined && until === undefined) return [{ from: head.first, to: head.last }]
  const ranges: SequenceRange[] = []
  for (const stretch of stretchesOf(head)) {
    const from = since === undefined ? stretch.from : firstAtOrAfter(engine, stretch, since)
    const to = until === undefined ? stretch.to : firstAtOrAfter(engine, stretch, until) - 1
    if (from > to) continue
    const last = ranges.at(-1)
    if (last !== undefined && last.to + 1 === from) last.to = to
    else ranges.push({ from, to })
  }
  return ranges
}

function stretchesOf({ first, last, falls }: LogHead): SequenceRange[] {
  const starts = [first, ...falls.filter((at) => at > first && at <= last)]
  return starts.map((from, i) => ({ from, to: (starts[i + 1] ?? last + 1) - 1 }))
}

/** Sequence of the first event of the stretch stored at or after `time`; one past its end when there is none. */
function firstAtOrAfter(engine: LogEngine, stretch: SequenceRange, time: string | Date): number {
  const search = new TimeSearch(stretch, time)
  for (let look = search.look; look !== undefined; look = search.look) {
    // Some between them may have been removed.
    const [found] = engine.range('events', { start: look.from, end: look.to + 1, limit: 1 })
    search.found(found?.value)
  }
  return search.sequence
}
