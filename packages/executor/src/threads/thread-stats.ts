import type { DiscardReason } from '@nexus/instance-pool'
import { POOL_NUMBERS, type SandboxEngineStats } from '../call/engine-stats.js'

const DISCARDS = [
  'trap',
  'growth',
  'engine-error',
  'recycled',
  'idle',
  'evicted',
  'shutdown',
] as const satisfies readonly DiscardReason[]

/** What only ever goes up. */
const TOTALS = ['created', 'acquired', 'rewinds', 'rebinds', 'exhausted'] as const

const HANDLER_NUMBERS = ['handlers', 'handlerBytes', 'handlerLoads', 'handlerEvictions'] as const

/** How many numbers the statistics of one thread are. */
export const STAT_CELLS = POOL_NUMBERS.length + DISCARDS.length + HANDLER_NUMBERS.length

/** Lays the statistics out as numbers: a copy by message would cost more than a small call. */
export function writeStats(cells: Float64Array, stats: SandboxEngineStats) {
  const { pool } = stats
  let at = 0
  for (const name of POOL_NUMBERS) cells[at++] = pool[name]
  for (const reason of DISCARDS) cells[at++] = pool.discards[reason]
  for (const name of HANDLER_NUMBERS) cells[at++] = stats[name]
}

export function readStats(cells: Float64Array): SandboxEngineStats {
  let at = 0
  const numbers = Object.fromEntries(POOL_NUMBERS.map((name) => [name, cells[at++]!]))
  const discards = Object.fromEntries(DISCARDS.map((reason) => [reason, cells[at++]!]))
  const handlers = Object.fromEntries(HANDLER_NUMBERS.map((name) => [name, cells[at++]!]))
  return {
    pool: {
      ...(numbers as Record<(typeof POOL_NUMBERS)[number], number>),
      discards: discards as Record<DiscardReason, number>,
    },
    ...(handlers as Record<(typeof HANDLER_NUMBERS)[number], number>),
  }
}

/** Adds what an ended thread has counted; what it held is gone with it. */
export function addEnded(
  sum: SandboxEngineStats,
  { pool, handlerLoads, handlerEvictions }: SandboxEngineStats,
): SandboxEngineStats {
  const discards = { ...sum.pool.discards }
  for (const reason of DISCARDS) discards[reason] += pool.discards[reason]
  const total = { ...sum.pool, discards }
  for (const name of TOTALS) total[name] += pool[name]
  return {
    ...sum,
    pool: total,
    handlerLoads: sum.handlerLoads + handlerLoads,
    handlerEvictions: sum.handlerEvictions + handlerEvictions,
  }
}

/** The statistics of no thread at all. */
export const NO_STATS: SandboxEngineStats = readStats(new Float64Array(STAT_CELLS))
