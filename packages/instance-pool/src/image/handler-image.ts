import type { ReferenceMemory } from '../freeze/reference-memory.js'
import { type MemoryRun, runsByteLength } from './memory-image.js'

/** The state of an engine right after a handler's module ran, as what differs from the base image. */
export class HandlerImage {
  /** The bytes this image adds to the base image that all handlers share. */
  readonly byteLength: number

  /** Made by `QuickJSTemplate.capture`. */
  constructor(
    /** The base image, shared by every handler of the same heap size. */
    readonly base: readonly MemoryRun[],
    /** What differs from the base image. */
    readonly diff: readonly MemoryRun[],
    /** The size that the linear memory has in this image. */
    readonly memoryBytes: number,
    /** Where the free end of the heap starts: what lies below is restored even where it is zero. */
    readonly usedEnd: number,
    /** Of a frozen sandbox that goes on, which no instance is rewound to: what `diff` differs from. */
    readonly thawedOn?: ReferenceMemory,
  ) {
    this.byteLength = runsByteLength(diff)
  }
}
