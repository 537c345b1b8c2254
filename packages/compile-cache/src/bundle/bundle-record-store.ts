import { LRUCache } from 'lru-cache'
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
      record = text === undefined ? undefined : (JSON.parse(text) as BundleRecord)
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
