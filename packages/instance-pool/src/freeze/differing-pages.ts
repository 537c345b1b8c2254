import { PAGE_BYTES } from '../image/memory-image.js'

/** Most of two memories is the same: they are first compared in large pieces. */
const PIECE_BYTES = 16 * PAGE_BYTES

/**
 * The pages in which two memories differ, cut to `start` … `end`. Memory is read before it is written: reading what was
 * never touched costs no resident memory.
 */
export function* differingPages(
  one: Buffer,
  other: Buffer,
  start: number,
  end: number,
): Generator<{ from: number; to: number }> {
  for (const piece of stretches(start, end, PIECE_BYTES)) {
    if (isSame(one, other, piece)) continue
    for (const page of stretches(piece.from, piece.to, PAGE_BYTES)) {
      if (!isSame(one, other, page)) yield page
    }
  }
}

function* stretches(start: number, end: number, size: number) {
  for (let from = start; from < end; ) {
    const to = Math.min(end, from - (from % size) + size)
    yield { from, to }
    from = to
  }
}

function isSame(one: Buffer, other: Buffer, { from, to }: { from: number; to: number }): boolean {
  return other.compare(one, from, to, from, to) === 0
}
