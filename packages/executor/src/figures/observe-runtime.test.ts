import { MetricsRegistry } from '@nexus/metrics'
import { describe, expect, it } from 'vitest'
import type { SandboxEngineStats } from '../call/engine-stats.js'
import type { RuntimeCacheStats } from '../compile/runtime-cache.js'
import type { DispatcherStats } from '../dispatcher.js'
import { NO_STATS } from '../threads/thread-stats.js'
import { observeRuntime, type RuntimeFigures } from './observe-runtime.js'

const engine = (pool: Partial<SandboxEngineStats['pool']>): SandboxEngineStats => ({
  ...NO_STATS,
  pool: { ...NO_STATS.pool, ...pool },
})

const dispatcher: DispatcherStats = {
  engines: [
    engine({ active: 1, available: 3, memoryBytes: 90, rewinds: 7, discards: discards(1, 0) }),
    engine({ active: 1, suspended: 2, memoryBytes: 9, waiting: 4, discards: discards(1, 2) }),
  ],
  queued: 0,
  running: 2,
  threadKills: 5,
  threadCrashes: 0,
  confinedHandlers: 0,
}

/** Each reason that an engine knows, with a count for two of them. */
function discards(trap: number, growth: number): SandboxEngineStats['pool']['discards'] {
  const none = Object.entries(NO_STATS.pool.discards).map(([reason]) => [reason, 0])
  const [first, second] = none as [[string, number], [string, number]]
  first[1] = trap
  second[1] = growth
  return Object.fromEntries(none)
}

const cache = {
  handlers: {
    compiles: 2,
    memory: { hits: 5, evictions: 1, entries: 3, bytes: 30 },
    disk: { hits: 1, evictions: 0, entries: 6, bytes: 10 },
    shared: { hits: 8 },
  },
  modules: { hits: 11, misses: 12, evictions: 13, size: 14, bytes: 15 },
} as RuntimeCacheStats

const figures = (changed: Partial<RuntimeFigures> = {}): RuntimeFigures => ({
  threads: 2,
  dispatcher: () => dispatcher,
  cache: () => cache,
  ...changed,
})

const samplesOf = (registry: MetricsRegistry) =>
  registry
    .toPrometheus()
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))

describe('observeRuntime', () => {
  it('adds up the engines of all threads, and names the tier, state and reason of each figure', () => {
    const registry = new MetricsRegistry()
    observeRuntime(registry, figures())
    const [first, second] = Object.keys(NO_STATS.pool.discards)
    expect(samplesOf(registry).filter((line) => !/nexus_discards.* 0$/.test(line))).toEqual([
      'nexus_pool_instances{state="active"} 2',
      'nexus_pool_instances{state="available"} 3',
      'nexus_pool_instances{state="suspended"} 2',
      'nexus_instance_memory_bytes 99',
      'nexus_pool_waiting 4',
      'nexus_pool_acquired_total 0',
      'nexus_rewinds_total 7',
      `nexus_discards_total{reason="${first}"} 2`,
      `nexus_discards_total{reason="${second}"} 2`,
      'nexus_cache_hits_total{tier="memory"} 5',
      'nexus_cache_hits_total{tier="disk"} 1',
      'nexus_cache_hits_total{tier="shared"} 8',
      'nexus_cache_misses_total 2',
      'nexus_cache_evictions_total{tier="memory"} 1',
      'nexus_cache_evictions_total{tier="disk"} 0',
      'nexus_cache_entries{tier="memory"} 3',
      'nexus_cache_entries{tier="disk"} 6',
      'nexus_cache_bytes{tier="memory"} 30',
      'nexus_cache_bytes{tier="disk"} 10',
      'nexus_module_cache_hits_total 11',
      'nexus_module_cache_misses_total 12',
      'nexus_module_cache_evictions_total 13',
      'nexus_module_cache_entries 14',
      'nexus_module_cache_bytes 15',
      'nexus_handlers 0',
      'nexus_handler_bytes 0',
      'nexus_handler_loads_total 0',
      'nexus_handler_evictions_total 0',
      'nexus_threads 2',
      'nexus_thread_kills_total 5',
    ])
  })

  it('reads the figures again at each scrape, and leaves out the tiers that a compiler does not have', () => {
    const registry = new MetricsRegistry()
    let threadKills = 1
    const { disk: _disk, shared: _shared, ...memoryOnly } = cache.handlers
    observeRuntime(
      registry,
      figures({
        dispatcher: () => ({ ...dispatcher, threadKills }),
        cache: () => ({ ...cache, handlers: memoryOnly }),
      }),
    )
    expect(samplesOf(registry)).toContain('nexus_thread_kills_total 1')
    threadKills = 2
    expect(samplesOf(registry)).toContain('nexus_thread_kills_total 2')
    expect(registry.toPrometheus()).not.toMatch(/tier="(?:disk|shared)"/)
  })

  it('refuses a second runtime on one registry and leaves the first as it was, until it is removed', () => {
    const registry = new MetricsRegistry()
    const before = registry.toPrometheus()
    const detach = observeRuntime(registry, figures())
    expect(() => observeRuntime(registry, figures({ threads: 9 }))).toThrow(/nexus_pool_instances/)
    expect(samplesOf(registry)).toContain('nexus_threads 2')
    detach()
    expect(registry.toPrometheus()).toBe(before)
    observeRuntime(registry, figures({ threads: 9 }))
    detach()
    expect(samplesOf(registry)).toContain('nexus_threads 9')
  })
})
