import type { ListQuery } from '../queries.js'

/** Sequences of events; there is none when `from` is greater than `to`. */
export interface SequenceRange {
  /** The first one. */
  from: number
  /** The last one. */
  to: number
}

/** What a page of `list` has to look at: its range without what earlier pages have shown. */
export function restOfRange(
  { order, cursor }: Pick<ListQuery, 'order' | 'cursor'>,
  { from, to }: SequenceRange,
): SequenceRange {
  if (cursor === undefined) return { from, to }
  const last = Number(cursor)
  return order === 'asc'
    ? { from: Math.max(from, last + 1), to }
    : { from, to: Math.min(to, last - 1) }
}
