import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { type RecordedFacts, stillHolds } from '../import-gate/file-facts.js'
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

const pairs = z.array(z.tuple([z.string(), z.string()]))

const schema = z.object({
  cacheKey: z.string(),
  inputs: z.array(z.string()),
  facts: z.object({ places: pairs, contents: pairs }),
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

  /** Forget the records in memory. */
  clear(): void {
    this.#records.clear()
  }
}

/** What is no record counts as absent: without a secret, another program can write one with the right checksum. */
function parseRecord(text: string): BundleRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
