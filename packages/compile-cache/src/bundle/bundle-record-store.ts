import type { Metafile } from 'esbuild'
import { LRUCache } from 'lru-cache'
import type { ArtifactStore } from '../tiers/artifact-store.js'
import { traceBundleInputs } from './bundle-inputs.js'
import { type BuildStart, type BundleRecord, isCurrent, recordBundle } from './bundle-record.js'

const MAX_RECORDS_IN_MEMORY = 1000

/** A bundle just made. */
export interface FreshBundle {
  metafile: Metafile
  /** Absolute path of its entry. */
  entry: string
  cacheKey: string
  start: BuildStart
}

/** Remembers what bundles were made of, in memory and on disk. */
export class BundleRecordStore {
  readonly #store: ArtifactStore
  readonly #rootDir: string
  readonly #records = new LRUCache<string, BundleRecord>({ max: MAX_RECORDS_IN_MEMORY })

  constructor(store: ArtifactStore, rootDir: string) {
    this.#store = store
    this.#rootDir = rootDir
  }

  /** The record under `id` if everything is still as it was recorded. */
  async current(id: string): Promise<BundleRecord | undefined> {
    let record = this.#records.get(id)
    if (!record) {
      const text = await this.#store.readRecord(id)
      record = text === undefined ? undefined : (JSON.parse(text) as BundleRecord)
    }
    if (!record || !(await isCurrent(record))) return undefined
    this.#records.set(id, record)
    return record
  }

  /** Record a bundle, unless a file of it may have changed while it was made. */
  async remember(id: string, bundle: FreshBundle): Promise<void> {
    this.#records.delete(id)
    const traced = traceBundleInputs(bundle.metafile, this.#rootDir, bundle.entry)
    const record = traced && (await recordBundle(traced, bundle.cacheKey, bundle.start))
    if (!record) return
    this.#records.set(id, record)
    this.#store.writeRecord(id, JSON.stringify(record))
  }

  /** Forget the records in memory. */
  clear(): void {
    this.#records.clear()
  }
}
