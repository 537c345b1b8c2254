import type { WasmRuntimeStats } from '@nexus/executor'

/** What the parts of the sandbox counted since they started, and hold now. */
export interface SandboxTotals {
  cacheHits: number
  compiled: number
  evictions: number
  rewinds: number
  discards: number
  threadKills: number
  /** Calls that got an instance. */
  acquired: number
  /** Handlers that threads made ready for a call, and those they dropped for space. */
  handlerLoads: number
  handlerEvictions: number
  /** Now. */
  instances: { active: number; available: number; waiting: number; memoryBytes: number }
}

/** Adds up the threads and the tiers of the cache. */
export function sandboxTotals({ engines, compiler, threadKills }: WasmRuntimeStats): SandboxTotals {
  const { memory, disk, shared, compiles } = compiler
  const sum = (figure: (pool: (typeof engines)[number]['pool']) => number) =>
    engines.reduce((total, { pool }) => total + figure(pool), 0)
  return {
    cacheHits: memory.hits + (disk?.hits ?? 0) + (shared?.hits ?? 0),
    compiled: compiles,
    evictions: memory.evictions + (disk?.evictions ?? 0),
    rewinds: sum(({ rewinds }) => rewinds),
    discards: sum(({ discards }) => Object.values(discards).reduce((all, count) => all + count, 0)),
    threadKills,
    acquired: sum(({ acquired }) => acquired),
    handlerLoads: engines.reduce((total, { handlerLoads }) => total + handlerLoads, 0),
    handlerEvictions: engines.reduce((total, engine) => total + engine.handlerEvictions, 0),
    instances: {
      active: sum(({ active }) => active),
      available: sum(({ available }) => available),
      waiting: sum(({ waiting }) => waiting),
      memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    },
  }
}
