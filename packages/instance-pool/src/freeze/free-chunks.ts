import type { MemoryRange } from '../engine/engine-module.js'
import { CHUNK_FLAGS, CHUNK_HEADER_BYTES, type EngineState } from '../engine/engine-state.js'

/** Set in the size of a chunk that is in use. */
const IN_USE = 2
/** What the allocator keeps in a free chunk: its header, its neighbours in a list or a tree, its number. */
const FREE_CHUNK_FIELDS = 32
/** In dlmalloc's state the lowest address of the heap is two words before the top chunk (`struct malloc_state`). */
const LOWEST_BEFORE_TOP = 8
const ALIGNMENT = 16

/**
 * The insides of the free chunks of the heap: whatever is there, no code reads it before it is written.
 *
 * @returns `undefined` where the chunks do not end at the top chunk: then this is not the allocator that is known here
 */
export function freeInteriors(
  memory: Buffer,
  { heapTopOffset }: EngineState,
): MemoryRange[] | undefined {
  const top = memory.readUInt32LE(heapTopOffset)
  const lowest = memory.readUInt32LE(heapTopOffset - LOWEST_BEFORE_TOP)
  const ranges: MemoryRange[] = []
  // The first chunk is the first whose content is aligned.
  let chunk = Math.ceil((lowest + CHUNK_HEADER_BYTES) / ALIGNMENT) * ALIGNMENT - CHUNK_HEADER_BYTES
  while (chunk < top && chunk + CHUNK_HEADER_BYTES <= memory.length) {
    const word = memory.readUInt32LE(chunk + 4)
    const size = word - (word & CHUNK_FLAGS)
    if (size < CHUNK_HEADER_BYTES * 2 || chunk + size > top) return undefined
    if ((word & IN_USE) === 0 && size > FREE_CHUNK_FIELDS) {
      ranges.push({ start: chunk + FREE_CHUNK_FIELDS, end: chunk + size })
    }
    chunk += size
  }
  return chunk === top ? ranges : undefined
}
