import { LRUCache } from 'lru-cache'
import { parseOptions } from '../parse-options.js'
import {
  type MetricsCacheOptions,
  metricsCacheSchema,
  type ResolvedMetricsCacheOptions,
} from './metrics-cache-options.js'

/** Figures change all the time, states when something happens: they are kept for different times. */
export type MetricsCacheTier = 'metrics' | 'status'

/** What one tier of a `MetricsCache` has done so far. */
export interface CacheTierStats {
  /** Entries that are kept. */
  entries: number
  /** Questions that it answered. */
  hits: number
  /** Questions that it passed on. */
  misses: number
  /** Questions that waited for the answer to the same one, which was under way. */
  joined: number
  /** How long an entry is answered, in milliseconds. */
  ttlMs: number
}

/** What a `MetricsCache` has done so far. */
export interface MetricsCacheStats {
  /** Of figures. */
  metrics: CacheTierStats
  /** Of states. */
  status: CacheTierStats
  /** Misses that the shared tier answered, that it did not, and times it failed. */
  shared: { hits: number; misses: number; failures: number }
  /** Services that were forgotten because a command changed them. */
  invalidations: number
  /** Entries of each kind that are kept at most. */
  maxEntries: number
}

/** The name under which what concerns all services is kept. */
const everything = '*'

interface Load {
  promise: Promise<unknown>
  /** Nothing happened to the service since the load began, so that its result may be kept. */
  current: boolean
}

class Tier {
  readonly name: MetricsCacheTier
  readonly ttlMs: number
  readonly entries: LRUCache<string, { value: unknown }>
  readonly loads = new Map<string, Load>()
  hits = 0
  misses = 0
  joined = 0

  constructor(
    name: MetricsCacheTier,
    ttlMs: number,
    { maxEntries, now }: ResolvedMetricsCacheOptions,
  ) {
    this.name = name
    this.ttlMs = ttlMs
    this.entries = new LRUCache({
      max: maxEntries,
      ttl: Math.ceil(ttlMs),
      ttlResolution: 0,
      // Timers that do not keep the process alive.
      ttlAutopurge: true,
      perf: { now },
    })
  }

  getStats(): CacheTierStats {
    const { hits, misses, joined, ttlMs } = this
    return { entries: this.entries.size, hits, misses, joined, ttlMs }
  }
}

/**
 * Answers again what was just asked: how services are and what they use. Those who ask for the same at the
 * same time share one load; expired entries are removed.
 *
 * @example
 * ```ts
 * const cache = new MetricsCache({ shared: new RedisTier() })
 * const manager = new ProcessManager({ cache })
 * ```
 */
export class MetricsCache {
  readonly #options: ResolvedMetricsCacheOptions
  readonly #tiers: Record<MetricsCacheTier, Tier>
  readonly #shared = { hits: 0, misses: 0, failures: 0 }
  readonly #unsettled = new Set<Promise<unknown>>()
  #invalidations = 0
  /** The shared tier is left alone until then. */
  #sharedPausedUntil = Number.NEGATIVE_INFINITY

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: MetricsCacheOptions = {}) {
    this.#options = parseOptions(metricsCacheSchema, options, 'MetricsCache')
    const { ttlMs, statusTtlMs } = this.#options
    this.#tiers = {
      metrics: new Tier('metrics', ttlMs, this.#options),
      status: new Tier('status', statusTtlMs, this.#options),
    }
  }

  /**
   * What is kept under a name, or what `load` answers.
   *
   * @param name a service, or `*` for what concerns all of them
   * @param load asked at most once at a time; what it answers must survive JSON where there is a shared tier
   * @throws whatever `load` throws, which is not kept
   */
  async get<T>(tier: MetricsCacheTier, name: string, load: () => Promise<T>): Promise<T> {
    const kept = this.#tiers[tier]
    const entry = kept.entries.get(name)
    if (entry) {
      kept.hits++
      return entry.value as T
    }
    const running = kept.loads.get(name)
    if (running) kept.joined++
    else kept.misses++
    return (running ?? this.#load(kept, name, load)).promise as Promise<T>
  }

  /** Forgets a service, because it changes; what is being loaded just now is not kept either. */
  invalidate(name: string): void {
    this.#invalidations++
    const names = name === everything ? [everything] : [name, everything]
    for (const tier of Object.values(this.#tiers)) {
      for (const each of names) {
        tier.entries.delete(each)
        this.#abandon(tier, each)
      }
    }
    const keys = Object.keys(this.#tiers).flatMap((tier) => names.map((each) => `${tier}:${each}`))
    this.#settleFirst(this.#ask((shared) => shared.delete(keys)))
  }

  /** Forgets everything in this process. */
  clear(): void {
    for (const tier of Object.values(this.#tiers)) {
      tier.entries.clear()
      for (const name of [...tier.loads.keys()]) this.#abandon(tier, name)
    }
  }

  /** Counts since the start, and the limits. */
  getStats(): MetricsCacheStats {
    return {
      metrics: this.#tiers.metrics.getStats(),
      status: this.#tiers.status.getStats(),
      shared: { ...this.#shared },
      invalidations: this.#invalidations,
      maxEntries: this.#options.maxEntries,
    }
  }

  /** Forgets everything and closes the shared tier. */
  async close(): Promise<void> {
    this.clear()
    await Promise.all(this.#unsettled)
    await this.#options.shared?.close()
  }

  /** What the shared tier is told is not waited for, but before it is closed. */
  #settleFirst(told: Promise<unknown>): void {
    this.#unsettled.add(told)
    void told.finally(() => this.#unsettled.delete(told))
  }

  #load<T>(tier: Tier, name: string, load: () => Promise<T>): Load {
    const run: Load = { promise: Promise.resolve(), current: true }
    run.promise = this.#loadShared(tier, name, load, run).finally(() => {
      if (tier.loads.get(name) === run) tier.loads.delete(name)
    })
    tier.loads.set(name, run)
    return run
  }

  async #loadShared<T>(tier: Tier, name: string, load: () => Promise<T>, run: Load): Promise<T> {
    const key = `${tier.name}:${name}`
    const found = await this.#ask((shared) => shared.get(key))
    if (found && found.remainingMs > 0) {
      this.#shared.hits++
      // Another host's clock is not asked: what is left of its time is the most that it gets here.
      const ttl = Math.min(tier.ttlMs, found.remainingMs)
      if (run.current) tier.entries.set(name, { value: found.value }, { ttl: Math.ceil(ttl) })
      return found.value as T
    }
    if (found === null) this.#shared.misses++
    const value = await load()
    if (run.current) {
      tier.entries.set(name, { value })
      this.#settleFirst(this.#ask((shared) => shared.set(key, value, tier.ttlMs)))
    }
    return value
  }

  #abandon(tier: Tier, name: string): void {
    const run = tier.loads.get(name)
    if (run) run.current = false
    tier.loads.delete(name)
  }

  /** Asks the shared tier; undefined where there is none or it fails, which is no reason for anybody to fail. */
  async #ask<T>(
    ask: (shared: NonNullable<ResolvedMetricsCacheOptions['shared']>) => Promise<T>,
  ): Promise<T | undefined> {
    const { shared, sharedRetryMs, now } = this.#options
    if (!shared || now() < this.#sharedPausedUntil) return undefined
    try {
      return await ask(shared)
    } catch {
      this.#shared.failures++
      this.#sharedPausedUntil = now() + sharedRetryMs
      return undefined
    }
  }
}
