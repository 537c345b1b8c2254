import type { MetricsRegistry, Observe } from '@nexus/metrics'
import type { EnginePoolStats, SandboxEngineStats } from '../call/engine-stats.js'
import type { RuntimeCacheStats } from '../compile/runtime-cache.js'
import type { DispatcherStats } from '../dispatcher.js'

/** Where the figures of a runtime are read, once for each scrape. */
export interface RuntimeFigures {
  /** Worker threads that the runtime runs calls on. */
  threads: number
  dispatcher(): DispatcherStats
  cache(): RuntimeCacheStats
}

const gauge = (name: string, help: string) => ({ type: 'gauge', name, help }) as const
const counter = (name: string, help: string) => ({ type: 'counter', name, help }) as const
const byState = { labelNames: ['state'] } as const
const byReason = { labelNames: ['reason'] } as const
const byTier = { labelNames: ['tier'] } as const

const metrics = {
  instances: {
    ...gauge('nexus_pool_instances', 'Sandbox instances, by what they do.'),
    ...byState,
  },
  memory: gauge('nexus_instance_memory_bytes', 'Linear memory of all sandbox instances.'),
  waiting: gauge('nexus_pool_waiting', 'Calls that wait for a sandbox instance.'),
  acquired: counter('nexus_pool_acquired_total', 'Calls that got a sandbox instance.'),
  rewinds: counter('nexus_rewinds_total', 'Sandbox instances rewound to their pristine image.'),
  discards: {
    ...counter('nexus_discards_total', 'Sandbox instances thrown away, by reason.'),
    ...byReason,
  },
  cacheHits: {
    ...counter(
      'nexus_cache_hits_total',
      'Look-ups of compiled code that a tier of the cache answered.',
    ),
    ...byTier,
  },
  cacheMisses: counter(
    'nexus_cache_misses_total',
    'Look-ups of compiled code that no tier of the cache answered.',
  ),
  cacheEvictions: {
    ...counter('nexus_cache_evictions_total', 'Compiled code dropped from the cache for space.'),
    ...byTier,
  },
  cacheEntries: {
    ...gauge('nexus_cache_entries', 'Pieces of compiled code in the cache.'),
    ...byTier,
  },
  cacheBytes: {
    ...gauge('nexus_cache_bytes', 'Size of the compiled code in the cache.'),
    ...byTier,
  },
  moduleHits: counter(
    'nexus_module_cache_hits_total',
    'Look-ups of compiled WebAssembly modules that found theirs.',
  ),
  moduleMisses: counter('nexus_module_cache_misses_total', 'WebAssembly modules compiled.'),
  moduleEvictions: counter(
    'nexus_module_cache_evictions_total',
    'Compiled WebAssembly modules dropped for space.',
  ),
  moduleEntries: gauge('nexus_module_cache_entries', 'Compiled WebAssembly modules kept.'),
  moduleBytes: gauge('nexus_module_cache_bytes', 'Size of the binaries of these modules.'),
  handlers: gauge('nexus_handlers', 'Handlers that are ready to be called, on all threads.'),
  handlerBytes: gauge('nexus_handler_bytes', 'Bytecode and images of these handlers.'),
  handlerLoads: counter(
    'nexus_handler_loads_total',
    'Times that a thread made a handler ready, because a call found it was not.',
  ),
  handlerEvictions: counter(
    'nexus_handler_evictions_total',
    'Handlers that threads dropped for space.',
  ),
  threads: gauge('nexus_threads', 'Worker threads that execute functions.'),
  threadKills: counter('nexus_thread_kills_total', 'Worker threads terminated at a hard deadline.'),
}

/**
 * Adds the figures of a runtime's sandboxes, compile cache and threads to a registry.
 *
 * @returns a function that removes them again
 * @throws MetricsError `NAME_TAKEN` when the registry already has those of another runtime
 */
export function observeRuntime(registry: MetricsRegistry, figures: RuntimeFigures): () => void {
  return registry.observe({
    metrics,
    collect(observe) {
      const { engines, threadKills } = figures.dispatcher()
      observePools(
        engines.map(({ pool }) => pool),
        observe,
      )
      observeHandlers(engines, observe)
      observeCache(figures.cache(), observe)
      observe.threads(figures.threads)
      observe.threadKills(threadKills)
    },
  })
}

type Observers = {
  readonly [Key in keyof typeof metrics]: Observe<
    (typeof metrics)[Key] extends { labelNames: readonly (infer Label extends string)[] }
      ? Label
      : never
  >
}

/** The pools of all threads, added up. */
function observePools(pools: readonly EnginePoolStats[], observe: Observers): void {
  const sum = (figure: (pool: EnginePoolStats) => number) =>
    pools.reduce((total, pool) => total + figure(pool), 0)
  for (const state of ['active', 'available', 'suspended'] as const) {
    const count = sum((pool) => pool[state])
    observe.instances(count, { state })
  }
  observe.memory(sum((pool) => pool.memoryBytes))
  observe.waiting(sum((pool) => pool.waiting))
  observe.acquired(sum((pool) => pool.acquired))
  observe.rewinds(sum((pool) => pool.rewinds))
  const discards = new Map<string, number>()
  for (const pool of pools) {
    for (const [reason, count] of Object.entries(pool.discards)) {
      discards.set(reason, (discards.get(reason) ?? 0) + count)
    }
  }
  for (const [reason, count] of discards) observe.discards(count, { reason })
}

function observeHandlers(engines: readonly SandboxEngineStats[], observe: Observers): void {
  const sum = (figure: (engine: SandboxEngineStats) => number) =>
    engines.reduce((total, engine) => total + figure(engine), 0)
  observe.handlers(sum(({ handlers }) => handlers))
  observe.handlerBytes(sum(({ handlerBytes }) => handlerBytes))
  observe.handlerLoads(sum(({ handlerLoads }) => handlerLoads))
  observe.handlerEvictions(sum(({ handlerEvictions }) => handlerEvictions))
}

function observeCache({ handlers, modules }: RuntimeCacheStats, observe: Observers): void {
  const { memory, disk, shared, compiles } = handlers
  observe.cacheHits(memory.hits, { tier: 'memory' })
  if (disk) observe.cacheHits(disk.hits, { tier: 'disk' })
  if (shared) observe.cacheHits(shared.hits, { tier: 'shared' })
  observe.cacheMisses(compiles)
  observe.cacheEvictions(memory.evictions, { tier: 'memory' })
  if (disk) observe.cacheEvictions(disk.evictions, { tier: 'disk' })
  observe.cacheEntries(memory.entries, { tier: 'memory' })
  observe.cacheBytes(memory.bytes, { tier: 'memory' })
  if (disk) observe.cacheEntries(disk.entries, { tier: 'disk' })
  if (disk) observe.cacheBytes(disk.bytes, { tier: 'disk' })
  observe.moduleHits(modules.hits)
  observe.moduleMisses(modules.misses)
  observe.moduleEvictions(modules.evictions)
  observe.moduleEntries(modules.size)
  observe.moduleBytes(modules.bytes)
}
