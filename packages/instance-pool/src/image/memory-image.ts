/** The unit in which memory is copied back: small enough to skip what is unused, large enough to copy fast. */
export const PAGE_BYTES = 4096
/** The unit in which two images are compared: 128 bytes keep the image of a small handler below 20 KB. */
const BLOCK_BYTES = 128

const zeroPage = new Uint8Array(PAGE_BYTES)

/** A stretch of linear memory and what belongs there. */
export interface MemoryRun {
  readonly offset: number
  readonly bytes: Uint8Array
}

function isZeroPage(memory: Buffer, page: number): boolean {
  return memory.compare(zeroPage, 0, PAGE_BYTES, page * PAGE_BYTES, (page + 1) * PAGE_BYTES) === 0
}

/** The numbers of the pages from `start` to `end` that hold anything but zeros, ascending. */
export function usedPages(memory: Buffer, start = 0, end = memory.length): number[] {
  const pages: number[] = []
  for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
    if (!isZeroPage(memory, page)) pages.push(page)
  }
  return pages
}

/** The numbers of all pages that a byte from `start` to `end` lies in, ascending. */
export function pagesBetween(start: number, end: number): number[] {
  const pages: number[] = []
  for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++) pages.push(page)
  return pages
}

/** The numbers of the pages that lie in `start` to `end` as a whole, ascending. */
export function pagesWithin(start: number, end: number): number[] {
  const first = Math.ceil(start / PAGE_BYTES) * PAGE_BYTES
  return pagesBetween(first, Math.floor(end / PAGE_BYTES) * PAGE_BYTES)
}

/** Copies these pages out of memory, neighbours joined into one run. */
export function copyPages(memory: Buffer, pages: readonly number[]): MemoryRun[] {
  const spans: { start: number; end: number }[] = []
  for (const page of pages) {
    const last = spans.at(-1)
    if (last?.end === page) last.end++
    else spans.push({ start: page, end: page + 1 })
  }
  return spans.map(({ start, end }) => ({
    offset: start * PAGE_BYTES,
    bytes: new Uint8Array(memory.subarray(start * PAGE_BYTES, end * PAGE_BYTES)),
  }))
}

/** Writes each run to its place. */
export function writeRuns(memory: Uint8Array, runs: readonly MemoryRun[]): void {
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i]!
    memory.set(run.bytes, run.offset)
  }
}

/**
 * Zeroes these pages.
 *
 * Pages are looked at before they are written: reading memory that was never touched costs no
 * resident memory, writing zeros to it does.
 */
export function zeroPages(memory: Buffer, pages: Iterable<number>): void {
  for (const page of pages) {
    if (!isZeroPage(memory, page)) memory.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }
}

/** What differs between a memory and the image it started from; both must be of one size. */
export function diffMemory(memory: Buffer, base: readonly MemoryRun[]): MemoryRun[] {
  const basePages = new Map<number, Uint8Array>()
  for (const run of base) {
    for (let at = 0; at < run.bytes.length; at += PAGE_BYTES) {
      basePages.set((run.offset + at) / PAGE_BYTES, run.bytes.subarray(at, at + PAGE_BYTES))
    }
  }
  const changed: { start: number; end: number }[] = []
  for (let page = 0; page < memory.length / PAGE_BYTES; page++) {
    const expected = basePages.get(page) ?? zeroPage
    const start = page * PAGE_BYTES
    if (memory.compare(expected, 0, PAGE_BYTES, start, start + PAGE_BYTES) === 0) continue
    for (let at = 0; at < PAGE_BYTES; at += BLOCK_BYTES) {
      const from = start + at
      const to = from + BLOCK_BYTES
      if (memory.compare(expected, at, at + BLOCK_BYTES, from, to) === 0) continue
      const last = changed.at(-1)
      if (last?.end === from) last.end = to
      else changed.push({ start: from, end: to })
    }
  }
  return packRuns(memory, changed)
}

/** One allocation for all runs: thousands of images must not cost thousands of buffers each. */
function packRuns(memory: Buffer, spans: readonly { start: number; end: number }[]): MemoryRun[] {
  const total = spans.reduce((sum, span) => sum + span.end - span.start, 0)
  const packed = new Uint8Array(total)
  let at = 0
  return spans.map(({ start, end }) => {
    const bytes = packed.subarray(at, at + end - start)
    bytes.set(memory.subarray(start, end))
    at += end - start
    return { offset: start, bytes }
  })
}

/** The bytes that these runs hold. */
export function runsByteLength(runs: readonly MemoryRun[]): number {
  return runs.reduce((sum, run) => sum + run.bytes.length, 0)
}

/** The numbers of the pages that these runs touch. */
export function pagesOf(runs: readonly MemoryRun[]): Set<number> {
  const pages = new Set<number>()
  for (const { offset, bytes } of runs) {
    const end = offset + bytes.length
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      pages.add(page)
    }
  }
  return pages
}
