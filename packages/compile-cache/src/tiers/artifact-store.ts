import { resolve } from 'node:path'
import type { Artifact, CacheTier } from '../compiled-handler.js'
import { engineVersion } from '../engine/engine.js'
import type { ResolvedCompilerOptions } from '../options.js'
import { DiskTier, type DiskTierStats } from './disk-tier.js'
import type { Pruned } from './disk-usage.js'
import {
  type CacheEntry,
  type MemoryEntry,
  MemoryTier,
  type MemoryTierStats,
  type SourceLink,
} from './memory-tier.js'
import { Sealer } from './seal.js'
import { SharedTierClient, type SharedTierStats } from './shared-tier.js'

/** An artifact with the tier that had it, `none` when it was produced for the one who asked. */
export interface Found {
  entry: MemoryEntry
  tier: CacheTier
}

/** What to look for, and how to make it when no tier has it. */
export interface Job {
  key: string
  filename: string
  link?: SourceLink | undefined
  produce: () => Promise<Artifact>
}

/** What the tiers hold and did. */
export interface ArtifactStoreStats {
  /** In memory. */
  memory: MemoryTierStats
  /** Absent when the disk tier is off, or not used yet. */
  disk?: DiskTierStats | undefined
  /** Absent without a shared tier, or when it was not used yet. */
  shared?: SharedTierStats | undefined
}

interface OuterTiers {
  disk: DiskTier | undefined
  shared: SharedTierClient | undefined
}

/** The tiers as one: memory, then disk, then shared; what is found further out is kept further in. */
export class ArtifactStore {
  readonly #options: ResolvedCompilerOptions
  readonly #memory: MemoryTier
  readonly #pending = new Map<string, Promise<Found>>()
  readonly #warned = new Set<string>()
  #opening: Promise<OuterTiers> | undefined
  #outer: OuterTiers = { disk: undefined, shared: undefined }

  constructor(options: ResolvedCompilerOptions) {
    this.#options = options
    this.#memory = new MemoryTier(options.maxMemoryBytes, options.clock)
  }

  /** What memory holds for exactly this source text, found without hashing it. */
  getBySource(link: SourceLink): MemoryEntry | undefined {
    return this.#memory.getBySource(link)
  }

  /** Find in a tier, or produce and keep; concurrent callers of one key share the work. */
  async find(job: Job): Promise<Found> {
    const pending = this.#pending.get(job.key)
    if (pending) return pending
    const found = this.#findOrProduce(job).finally(() => this.#pending.delete(job.key))
    this.#pending.set(job.key, found)
    return found
  }

  /** Find in a tier. */
  async lookup(key: string, filename: string, link?: SourceLink): Promise<Found | undefined> {
    const known = this.#memory.get(key)
    if (known) return { entry: known, tier: 'memory' }
    this.#memory.missed()
    const { disk, shared } = await this.#open()
    const onDisk = await disk?.read(key)
    if (onDisk) return { entry: this.#memory.set(key, filename, onDisk, link), tier: 'disk' }
    const inShared = await shared?.read(key)
    if (!inShared) return undefined
    disk?.write(key, inShared)
    return { entry: this.#memory.set(key, filename, inShared, link), tier: 'shared' }
  }

  /** The record on disk under `key`. */
  async readRecord(key: string): Promise<string | undefined> {
    const { disk } = await this.#open()
    return disk?.readRecord(key)
  }

  /** Keep a record on disk. */
  writeRecord(key: string, record: string): void {
    this.#outer.disk?.writeRecord(key, record)
  }

  resizeMemory(maxBytes: number): void {
    this.#memory.resize(maxBytes)
  }

  getStats(): ArtifactStoreStats {
    return {
      memory: this.#memory.getStats(),
      disk: this.#outer.disk?.getStats(),
      shared: this.#outer.shared?.getStats(),
    }
  }

  /** Empty memory and disk. A shared tier belongs to others too. */
  async clear(): Promise<void> {
    this.#memory.clear()
    const { disk } = await this.#open()
    await disk?.clear()
  }

  /** What memory holds, the entry used last first. */
  list(): CacheEntry[] {
    return this.#memory.list()
  }

  /** Write what memory holds to the tiers further out that have lost it, and wait until it is there. */
  async refill(): Promise<void> {
    const { disk, shared } = await this.#open()
    for (const entry of this.#memory.artifacts()) {
      await disk?.ensure(entry.key, entry)
      shared?.write(entry.key, entry)
    }
    await this.flush()
  }

  /** Prune the disk; nothing without one. */
  async prune(maxBytes: number, unusedSince: number): Promise<Pruned> {
    const { disk } = await this.#open()
    return (await disk?.prune(maxBytes, unusedSince)) ?? { entries: 0, bytes: 0 }
  }

  /** Measure what the disk holds, once everything written so far is there. */
  async measure(): Promise<void> {
    const { disk } = await this.#open()
    await this.flush()
    disk?.measure()
    await this.flush()
  }

  /** Wait for what is being found or produced, and for the writes that follow. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#pending.values())
    await this.flush()
  }

  /** Wait for writes under way. */
  async flush(): Promise<void> {
    await this.#outer.disk?.flush()
    await this.#outer.shared?.flush()
  }

  async #findOrProduce({ key, filename, link, produce }: Job): Promise<Found> {
    const cached = await this.lookup(key, filename, link)
    if (cached) return cached
    const artifact = await produce()
    this.#outer.disk?.write(key, artifact)
    this.#outer.shared?.write(key, artifact)
    return { entry: this.#memory.set(key, filename, artifact, link), tier: 'none' }
  }

  #open(): Promise<OuterTiers> {
    this.#opening ??= this.#createOuterTiers()
    return this.#opening
  }

  async #createOuterTiers(): Promise<OuterTiers> {
    const { cacheDir, maxCacheSizeBytes, secret, sharedTier, sharedTimeoutMs, clock } =
      this.#options
    if (cacheDir === false && !sharedTier) return this.#outer
    const sealer = await Sealer.create(engineVersion(), secret)
    if (cacheDir !== false) {
      this.#outer.disk = new DiskTier({
        directory: resolve(cacheDir),
        maxBytes: maxCacheSizeBytes,
        sealer,
        clock,
        onDamaged: (path) =>
          this.#options.logger.warn(
            { path },
            'a damaged file of the compile cache was found: it is compiled and written again',
          ),
        onTrouble: (message) => this.#warnOnce('disk', message),
      })
      await this.#outer.disk.makePrivate()
      this.#outer.disk.measure()
    }
    if (sharedTier) {
      this.#outer.shared = new SharedTierClient({
        tier: sharedTier,
        sealer,
        timeoutMs: sharedTimeoutMs,
        clock,
        onTrouble: (message) => this.#warnOnce('shared', message),
      })
    }
    return this.#outer
  }

  #warnOnce(about: string, message: string): void {
    if (this.#warned.has(about)) return
    this.#warned.add(about)
    this.#options.logger.warn({ tier: about, reason: message }, 'a tier of the compile cache fails')
  }
}
