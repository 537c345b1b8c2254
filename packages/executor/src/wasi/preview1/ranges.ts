import type { GuestMemory } from './guest-memory.js'

const RANGE_BYTES = 8

/** The ranges of memory that a read or write is about, or `undefined` when not all of it is in the memory. */
export function readRanges(
  memory: GuestMemory,
  iovs: number,
  given: number,
): { address: number; length: number }[] | undefined {
  const count = given >>> 0
  if (!memory.has(iovs, count * RANGE_BYTES)) return undefined
  const ranges: { address: number; length: number }[] = []
  for (let i = 0; i < count; i++) {
    const at = (iovs >>> 0) + i * RANGE_BYTES
    const range = { address: memory.u32(at), length: memory.u32(at + 4) }
    if (!memory.has(range.address, range.length)) return undefined
    ranges.push(range)
  }
  return ranges
}
