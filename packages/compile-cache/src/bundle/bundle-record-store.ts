import { isAbsolute } from 'node:path'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { type RecordedFacts, stillHolds } from '../import-gate/files/file-facts.js'
import type { ArtifactStore } from '../tiers/artifact-store.js'

const MAX_RECORDS_IN_MEMORY = 1000

/** What a bundle was made of, so that a later start can tell without esbuild that nothing changed. */
export interface BundleRecord {
  /** The key of the bundle's artifact. */
  cacheKey: string
  /** The files in the bundle: absolute paths, sorted. */
  inputs: string[]
  /** What its build saw of the file system. */
  facts: RecordedFacts
}

/** More than any build sees: whether they still hold is looked at one by one, before the handler can run. */
const MAX_FACTS = 200_000

const path = z.string().refine((text) => isAbsolute(text) && !text.includes('\0'))
const pairs = z
  .array(z.tuple([path, z.string()]))
  .max(MAX_FACTS)
  .refine((facts) => new Set(facts.map(([name]) => name)).size === facts.length)

const schema = z
  .object({
    cacheKey: z.string().regex(/^[0-9a-f]{64}$/),
    inputs: z.array(path),
    facts: z.object({ places: pairs, contents: pairs }),
  })
  // A bundle is made of files that its build has read.
  .refine(({ inputs, facts: { contents } }) => {
    const read = new Set(contents.map(([name]) => name))
    return inputs.every((input) => read.has(input))
  }) satisfies z.ZodType<BundleRecord>

/** Remembers what bundles were made of, in memory and on disk. */
export class BundleRecordStore {
  readonly #store: ArtifactStore
  readonly #maxFileBytes: number
  readonly #records = new LRUCache<string, BundleRecord>({ max: MAX_RECORDS_IN_MEMORY })

  constructor(store: ArtifactStore, maxFileBytes: number) {
    this.#store = store
    this.#maxFileBytes = maxFileBytes
  }

  /** The record under `id` if everything is still as it was recorded. */
  async current(id: string): Promise<BundleRecord | undefined> {
    let record = this.#records.get(id)
    if (!record) {
      const text = await this.#store.readRecord(id)
      record = text === undefined ? undefined : parseRecord(text)
    }
    if (!record || !(await stillHolds(record.facts, this.#maxFileBytes))) return undefined
    this.#records.set(id, record)
    return record
  }

  /** Keep a record. */
  remember(id: string, record: BundleRecord): void {
    this.#records.set(id, record)
    this.#store.writeRecord(id, JSON.stringify(record))
  }

  /** Write the records in memory to the disk where it has lost them. */
  async refill(): Promise<void> {
    for (const [id, record] of this.#records.entries()) {
      const text = JSON.stringify(record)
      if ((await this.#store.readRecord(id)) !== text) this.#store.writeRecord(id, text)
    }
  }

  /** Forget the records in memory. */
  clear(): void {
    this.#records.clear()
  }
}

/** What no build wrote counts as absent: without a secret, another program can write a record with the right checksum. */
function parseRecord(text: string): BundleRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
