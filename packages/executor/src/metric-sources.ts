import type { HandlerCompilerStats } from '@nexus/compile-cache'
import type { DiscardReason } from '@nexus/instance-pool'
import type { CacheFigures, PoolFigures, ThreadFigures } from '@nexus/metrics'
import type { DispatcherStats } from './dispatcher.js'

/** The pools of all threads, added up. */
export function poolFigures({ engines }: DispatcherStats): PoolFigures {
  const discards: Partial<Record<DiscardReason, number>> = {}
  const figures = { active: 0, available: 0, suspended: 0, memoryBytes: 0, waiting: 0, rewinds: 0 }
  for (const { pool } of engines) {
    for (const name of Object.keys(figures) as (keyof typeof figures)[]) {
      figures[name] += pool[name]
    }
    for (const [reason, count] of Object.entries(pool.discards) as [DiscardReason, number][]) {
      discards[reason] = (discards[reason] ?? 0) + count
    }
  }
  return { ...figures, discards: discards as Record<DiscardReason, number> }
}

export function threadFigures(count: number, { threadKills }: DispatcherStats): ThreadFigures {
  return { count, kills: threadKills }
}

export function cacheFigures({
  memory,
  disk,
  shared,
  compiles,
}: HandlerCompilerStats): CacheFigures {
  return {
    hits: {
      memory: memory.hits,
      ...(disk && { disk: disk.hits }),
      ...(shared && { shared: shared.hits }),
    },
    misses: compiles,
    evictions: { memory: memory.evictions, ...(disk && { disk: disk.evictions }) },
    entries: { memory: memory.entries },
    bytes: { memory: memory.bytes, ...(disk && { disk: disk.bytes }) },
  }
}
