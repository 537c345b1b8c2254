import { type MemoryRun, writeRuns } from '../image/memory-image.js'
import { differingPages } from './differing-pages.js'

/** An image: what differs from a base image, or is one. */
interface LaidOutImage {
  readonly base: readonly MemoryRun[]
  readonly diff: readonly MemoryRun[]
  readonly memoryBytes: number
}

/**
 * An image laid out as a memory, with zeros where it has nothing. Pages that were never written to take no resident
 * memory.
 */
export class ReferenceMemory {
  readonly #image: LaidOutImage
  #bytes: Buffer

  constructor(image: LaidOutImage) {
    this.#image = image
    this.#bytes = layOut(image, image.memoryBytes)
  }

  /** The memory, made so long. */
  upTo(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = layOut(this.#image, length)
    return this.#bytes.subarray(0, length)
  }

  /** Gives a stretch of another memory the bytes of this one. */
  copyInto(memory: Buffer, start = 0, end = memory.length): void {
    const bytes = this.upTo(memory.length)
    for (const { from, to } of differingPages(memory, bytes, start, end)) {
      bytes.copy(memory, from, from, to)
    }
  }
}

function layOut({ base, diff }: LaidOutImage, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  writeRuns(bytes, base)
  writeRuns(bytes, diff)
  return bytes
}
