import { basename } from 'node:path'
import type { RuntimeCache } from '@nexus/executor'

/** One tier of a cache; `null` for what it does not know. */
export interface CacheTierReport {
  tier: 'memory' | 'disk' | 'shared'
  entries: number | null
  bytes: number | null
  maxBytes: number | null
  hits: number
  misses: number
  evictions: number | null
}

/** The caches of compiled code: counters since the start of the process, and what they hold now. */
export interface CacheReport {
  /** Look-ups that were answered, of all; `null` before the first. */
  hitRatePercent: number | null
  /** Compiled JavaScript and TypeScript. */
  handlers: { tiers: CacheTierReport[]; compiled: number; failed: number }
  /** Compiled modules of WASI commands, which are kept in memory only. */
  modules: CacheTierReport
}

/** One entry in memory. */
export interface CacheEntryReport {
  kind: 'handler' | 'module'
  /** The name under which errors show a handler; of a module the first digits of its hash. */
  name: string
  bytes: number
  /** How often it was asked for. */
  accessCount: number
  lastAccessedAt: string
}

/** Entries that are listed at most. */
const MAX_ENTRIES = 100

export function cacheReport(cache: RuntimeCache): CacheReport {
  const { handlers, modules, cacheHitRate } = cache.getStats()
  const { memory, disk, shared, compiles, failures } = handlers
  const tiers: CacheTierReport[] = [tierReport('memory', memory)]
  if (disk) tiers.push(tierReport('disk', disk))
  if (shared) tiers.push(tierReport('shared', shared))
  const hits = tiers.reduce((sum, tier) => sum + tier.hits, modules.hits)
  return {
    hitRatePercent: hits + compiles + modules.misses === 0 ? null : cacheHitRate * 100,
    handlers: { tiers, compiled: compiles, failed: failures },
    modules: tierReport('memory', { ...modules, entries: modules.size }),
  }
}

/** What is held in memory, the entries used last first. */
export function cacheEntries(cache: RuntimeCache): CacheEntryReport[] {
  const { handlers, modules } = cache.list()
  const entries = [
    ...handlers.map((entry) => ({
      kind: 'handler' as const,
      name: nameOf(entry.filename),
      ...entry,
    })),
    ...modules.map((entry) => ({
      kind: 'module' as const,
      name: entry.key.slice(0, 12),
      ...entry,
    })),
  ]
  return entries
    .sort((a, b) => b.lastAccessedMs - a.lastAccessedMs)
    .slice(0, MAX_ENTRIES)
    .map(({ kind, name, bytes, accessCount, lastAccessedMs }) => ({
      ...{ kind, name, bytes, accessCount },
      lastAccessedAt: new Date(lastAccessedMs).toISOString(),
    }))
}

/** Clients are not told where on the server a file lies. */
function nameOf(filename: string): string {
  return filename.startsWith('..') ? basename(filename) : filename
}

interface TierFigures {
  hits: number
  misses: number
  entries?: number
  bytes?: number
  maxBytes?: number
  evictions?: number
}

/** The directory of the disk tier stays on this side. */
function tierReport(tier: CacheTierReport['tier'], figures: TierFigures): CacheTierReport {
  const { hits, misses, entries = null, bytes = null, maxBytes = null, evictions = null } = figures
  return { tier, entries, bytes, maxBytes, hits, misses, evictions }
}
