import { LRUCache } from 'lru-cache'
import type { Artifact } from '../compiled-handler.js'

/** Bytes that one entry takes in addition to its contents: the key, the record, the index. */
const ENTRY_OVERHEAD_BYTES = 512

/** One artifact in memory. */
export interface MemoryEntry extends Artifact {
  key: string
  filename: string
  /** Epoch milliseconds. */
  lastAccessed: number
  accessCount: number
}

/** The source that an entry was compiled from, to find it again without hashing. */
export interface SourceLink {
  source: string
  /** Language and file name. */
  variant: string
}

/** What the memory tier holds and did. */
export interface MemoryTierStats {
  /** Artifacts held. */
  entries: number
  /** What they hold, sources and source maps included, in bytes. */
  bytes: number
  /** The limit of `bytes`. */
  maxBytes: number
  /** Artifacts that were held when they were asked for. */
  hits: number
  /** Artifacts that were asked for and not held. */
  misses: number
  /** Artifacts dropped for space. */
  evictions: number
}

/** One entry of a cache, as an operator sees it. */
export interface CacheEntry {
  /** 64 hex digits. */
  key: string
  /** The name under which errors show it. */
  filename: string
  /** What it takes in memory. */
  bytes: number
  /** How often it was asked for, the first time included. */
  accessCount: number
  /** When it was asked for last, in milliseconds since the epoch. */
  lastAccessedMs: number
}

/** The artifacts used last, bounded by bytes. */
export class MemoryTier {
  #entries: LRUCache<string, MemoryEntry>
  /** source → variant → key. Looking up a string that V8 has hashed before costs nanoseconds. */
  readonly #bySource = new Map<string, Map<string, string>>()
  readonly #links = new Map<string, SourceLink>()
  readonly #clock: () => number
  #hits = 0
  #misses = 0
  #evictions = 0

  constructor(maxBytes: number, clock: () => number) {
    this.#clock = clock
    this.#entries = this.#create(maxBytes)
  }

  /** Keeps what was used last, as far as it fits. */
  resize(maxBytes: number): void {
    const kept = this.#entries.dump()
    this.#entries = this.#create(maxBytes)
    this.#entries.load(kept)
    for (const [key] of kept) if (!this.#entries.has(key)) this.#unlink(key)
  }

  /** The entry compiled from exactly this source text. */
  getBySource({ source, variant }: SourceLink): MemoryEntry | undefined {
    const key = this.#bySource.get(source)?.get(variant)
    return key === undefined ? undefined : this.get(key)
  }

  get(key: string): MemoryEntry | undefined {
    const entry = this.#entries.get(key)
    // A caller that transferred the bytecode to another thread left nothing behind here.
    if (entry && entry.bytecode.byteLength === 0) {
      this.#entries.delete(key)
      return undefined
    }
    if (entry) {
      this.#hits++
      entry.accessCount++
      entry.lastAccessed = this.#clock()
    }
    return entry
  }

  /** Count a lookup that no entry answered. */
  missed(): void {
    this.#misses++
  }

  /** Keep an artifact, unless it alone is larger than the tier. */
  set(key: string, filename: string, artifact: Artifact, link?: SourceLink): MemoryEntry {
    const entry: MemoryEntry = {
      ...artifact,
      key,
      filename,
      lastAccessed: this.#clock(),
      accessCount: 1,
    }
    const characters = (artifact.sourceMap?.length ?? 0) + (link?.source.length ?? 0)
    const size = ENTRY_OVERHEAD_BYTES + artifact.bytecode.byteLength + 2 * characters
    this.#entries.set(key, entry, { size })
    if (link && this.#entries.has(key)) this.#link(key, link)
    return entry
  }

  clear(): void {
    this.#entries.clear()
  }

  /** The artifacts held; reading them is no use of them. */
  artifacts(): MemoryEntry[] {
    return [...this.#entries.values()].filter(({ bytecode }) => bytecode.byteLength > 0)
  }

  /** What is held, the entry used last first. */
  list(): CacheEntry[] {
    return Array.from(this.#entries.dump().reverse(), ([, { value, size = 0 }]) => {
      const { key, filename, accessCount, lastAccessed } = value
      return { key, filename, bytes: size, accessCount, lastAccessedMs: lastAccessed }
    })
  }

  getStats(): MemoryTierStats {
    return {
      entries: this.#entries.size,
      bytes: this.#entries.calculatedSize,
      maxBytes: this.#entries.maxSize,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    }
  }

  #create(maxBytes: number): LRUCache<string, MemoryEntry> {
    return new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: maxBytes,
      dispose: (_entry, key, reason) => {
        if (reason === 'evict') this.#evictions++
        this.#unlink(key)
      },
    })
  }

  #link(key: string, link: SourceLink): void {
    this.#links.set(key, link)
    const variants = this.#bySource.get(link.source)
    if (variants) variants.set(link.variant, key)
    else this.#bySource.set(link.source, new Map([[link.variant, key]]))
  }

  #unlink(key: string): void {
    const link = this.#links.get(key)
    if (!link) return
    this.#links.delete(key)
    const variants = this.#bySource.get(link.source)
    variants?.delete(link.variant)
    if (variants?.size === 0) this.#bySource.delete(link.source)
  }
}
