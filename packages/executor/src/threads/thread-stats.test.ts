import { expect, it } from 'vitest'
import { addEnded, NO_STATS, readStats, STAT_CELLS, writeStats } from './thread-stats.js'

const stats = readStats(Float64Array.from({ length: STAT_CELLS }, (_, i) => i + 1))

it('reads back what was written', () => {
  const cells = new Float64Array(STAT_CELLS)
  writeStats(cells, stats)
  expect(readStats(cells)).toEqual(stats)
})

it('keeps what an ended thread counted, and nothing of what it held', () => {
  const sum = addEnded(addEnded(NO_STATS, stats), stats)
  const { pool, handlers, handlerBytes } = sum
  expect(sum.handlerLoads).toBe(2 * stats.handlerLoads)
  expect(sum.handlerEvictions).toBe(2 * stats.handlerEvictions)
  expect(pool.rewinds).toBe(2 * stats.pool.rewinds)
  expect(pool.discards.growth).toBe(2 * stats.pool.discards.growth)
  expect(pool).toMatchObject({ active: 0, available: 0, suspended: 0, waiting: 0, memoryBytes: 0 })
  expect([handlers, handlerBytes]).toEqual([0, 0])
})
