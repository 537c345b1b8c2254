import type { DiscardReason, InstancePoolStats } from '@nexus/instance-pool'

/** The figures of the sandboxes of one engine. */
export type EnginePoolStats = Omit<InstancePoolStats, 'limits'>

/** Figures of the engine of one thread; totals count from its start. */
export interface SandboxEngineStats {
  /** Of JavaScript handlers and WASI commands together. */
  pool: EnginePoolStats
  /** Handlers that are ready to be called. */
  handlers: number
  /** Bytecode and images of these handlers, in bytes. */
  handlerBytes: number
  /** Total of handlers made ready for a call. */
  handlerLoads: number
  /** Total of handlers dropped for space. */
  handlerEvictions: number
}

/** The numbers in the statistics of a pool, without its discards. */
export const POOL_NUMBERS = [
  'active',
  'available',
  'suspended',
  'waiting',
  'memoryBytes',
  'created',
  'acquired',
  'rewinds',
  'rebinds',
  'exhausted',
] as const satisfies readonly (keyof EnginePoolStats)[]

/** The figures of two engines as those of one. */
export function addStats(one: SandboxEngineStats, other: SandboxEngineStats): SandboxEngineStats {
  return {
    pool: addPools(one.pool, other.pool),
    handlers: one.handlers + other.handlers,
    handlerBytes: one.handlerBytes + other.handlerBytes,
    handlerLoads: one.handlerLoads + other.handlerLoads,
    handlerEvictions: one.handlerEvictions + other.handlerEvictions,
  }
}

function addPools(one: EnginePoolStats, other: EnginePoolStats): EnginePoolStats {
  const sum = { ...one, discards: { ...one.discards } }
  for (const name of POOL_NUMBERS) sum[name] += other[name]
  for (const reason of Object.keys(sum.discards) as DiscardReason[]) {
    sum.discards[reason] += other.discards[reason]
  }
  return sum
}
