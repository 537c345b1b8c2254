/** One tier of a cache; `null` for what it does not know. */
export interface CacheTierReport {
  /** Where it is: `memory`, `disk` or `shared`. */
  tier: string
  /** Entries it holds now. */
  entries: number | null
  /** Bytes it holds now. */
  bytes: number | null
  /** The limit of `bytes`. */
  maxBytes: number | null
  /** Look-ups that it answered since the start. */
  hits: number
  /** Look-ups that it did not answer since the start. */
  misses: number
  /** Entries removed for space since the start. */
  evictions: number | null
}

/** The caches of compiled code. */
export interface CacheFigures {
  /** Look-ups that were answered, of all; `null` before the first. */
  hitRatePercent: number | null
  /** Compiled JavaScript and TypeScript: the tiers, sources compiled, and compiles that failed. */
  handlers: { tiers: CacheTierReport[]; compiled: number; failed: number }
  /** Compiled modules of WASI commands. */
  modules: CacheTierReport
}

/** One entry in memory. */
export interface CachedEntry {
  /** `handler` or `module`. */
  kind: string
  /** The name under which errors show a handler; of a module the first digits of its hash. */
  name: string
  /** What it takes in memory. */
  bytes: number
  /** How often it was asked for. */
  accessCount: number
  /** ISO 8601. */
  lastAccessedAt: string
}

/** The caches of compiled code, with what they hold in memory: the 100 entries used last. */
export interface CacheReport extends CacheFigures {
  /** The entry used last first. */
  entries: CachedEntry[]
}

/** What was removed from the caches. */
export interface ClearReceipt {
  /** Entries removed, by tier. */
  removed: { memory: number; disk: number }
}

/** What was removed from the disk. */
export interface PruneReceipt {
  /** Entries removed, and what they took. */
  removed: { entries: number; bytes: number }
}

/** What was compiled. */
export interface WarmReceipt {
  /** Functions whose code is in the caches now. */
  functions: number
}
