/** A sandbox's memory as what differs from an image that is known. */
export interface FrozenMemory {
  /** The size of the linear memory, in bytes: with more or less of it the allocator would go astray. */
  readonly memoryBytes: number
  /** The changes; see `encodeDifference`. */
  readonly difference: Uint8Array
}
