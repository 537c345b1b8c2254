import type { MemoryRange } from '../engine/engine-module.js'
import { PoolError } from '../errors.js'
import type { MemoryRun } from '../image/memory-image.js'
import { differingPages } from './differing-pages.js'

/** The unit in which a frozen memory is compared: half the bytes that blocks of 128 take. */
const BLOCK_BYTES = 32
const WORDS_PER_BLOCK = BLOCK_BYTES / 4

/**
 * What differs in some ranges of two memories of one size: the number of stretches, for each how many blocks it starts after the
 * last one and how many it has, as LEB128; then the bytes of all.
 */
export function encodeDifference(
  memory: Buffer,
  reference: Buffer,
  ranges: readonly MemoryRange[],
): Buffer {
  /** For each stretch its first block and the block after its last one. */
  const bounds: number[] = []
  let next = -1
  const add = (block: number) => {
    if (block < next) return
    if (block === next) bounds[bounds.length - 1] = block + 1
    else bounds.push(block, block + 1)
    next = block + 1
  }
  const [words, otherWords] = [wordsOf(memory), wordsOf(reference)]
  for (const { start, end } of ranges) {
    const [firstBlock, endBlock] = [Math.floor(start / BLOCK_BYTES), Math.ceil(end / BLOCK_BYTES)]
    const [firstByte, endByte] = [firstBlock * BLOCK_BYTES, endBlock * BLOCK_BYTES]
    for (const { from, to } of differingPages(memory, reference, firstByte, endByte)) {
      for (let block = from / BLOCK_BYTES; block < to / BLOCK_BYTES; block++) {
        if (!isSameBlock(words, otherWords, block * WORDS_PER_BLOCK)) add(block)
      }
    }
  }
  return encoded(memory, bounds)
}

function encoded(memory: Buffer, bounds: readonly number[]): Buffer {
  const numbers: number[] = []
  writeLeb128(numbers, bounds.length / 2)
  let last = 0
  let blocks = 0
  for (let at = 0; at < bounds.length; at += 2) {
    const [first, end] = [bounds[at]!, bounds[at + 1]!]
    writeLeb128(numbers, first - last)
    writeLeb128(numbers, end - first)
    blocks += end - first
    last = end
  }
  const all = Buffer.allocUnsafe(numbers.length + blocks * BLOCK_BYTES)
  all.set(numbers)
  let to = numbers.length
  for (let at = 0; at < bounds.length; at += 2) {
    to += memory.copy(all, to, bounds[at]! * BLOCK_BYTES, bounds[at + 1]! * BLOCK_BYTES)
  }
  return all
}

/**
 * The stretches of {@link encodeDifference}, as views of `encoded`.
 *
 * @throws {@link PoolError} `IMAGE_REFUSED` for anything that it would not write
 */
export function decodeDifference(encoded: Buffer, memoryBytes: number): MemoryRun[] {
  let at = 0
  const next = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = encoded[at++]
      if (byte === undefined || shift > 21) throw refused('its list of changes is broken')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const spans: { offset: number; length: number }[] = []
  let block = 0
  for (let left = next(); left > 0; left--) {
    block += next()
    const length = next()
    spans.push({ offset: block * BLOCK_BYTES, length: length * BLOCK_BYTES })
    block += length
    if (length === 0 || block * BLOCK_BYTES > memoryBytes) {
      throw refused('a change lies outside of its memory')
    }
  }
  const runs = spans.map(({ offset, length }) => {
    const bytes = encoded.subarray(at, at + length)
    at += length
    return { offset, bytes }
  })
  if (at !== encoded.length) throw refused('its length is not that of its changes')
  return runs
}

function wordsOf(memory: Buffer): Int32Array {
  return new Int32Array(memory.buffer, memory.byteOffset, memory.length / 4)
}

function isSameBlock(one: Int32Array, other: Int32Array, at: number): boolean {
  for (let word = at; word < at + WORDS_PER_BLOCK; word++) {
    if (one[word] !== other[word]) return false
  }
  return true
}

function writeLeb128(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
}

function refused(why: string): PoolError {
  return new PoolError('IMAGE_REFUSED', `The image of the sandbox cannot be read: ${why}`)
}
