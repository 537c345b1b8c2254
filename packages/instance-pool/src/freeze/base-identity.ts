import { createHash } from 'node:crypto'
import type { MemoryRun } from '../image/memory-image.js'

/** What of an engine is the same in two places that can thaw each other's images. */
export interface BaseFacts {
  /** The engine and its extensions, by name and hash. */
  readonly programs: readonly string[]
  readonly base: readonly MemoryRun[]
  readonly memoryBytes: number
  /** Places in the base image, and other numbers that are not in it. */
  readonly places: Readonly<Record<string, number>>
}

/** Names a base image: a hash of all that an image which differs from it relies on. */
export function baseIdentity({ programs, base, memoryBytes, places }: BaseFacts): string {
  const hash = createHash('sha256')
  const sorted = Object.entries(places).sort(([one], [other]) => (one < other ? -1 : 1))
  hash.update(JSON.stringify([programs, memoryBytes, sorted]))
  for (const { offset, bytes } of base) hash.update(`${offset} ${bytes.length} `).update(bytes)
  return hash.digest('hex')
}
