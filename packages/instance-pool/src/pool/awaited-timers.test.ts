import { afterEach, expect, it, vi } from 'vitest'
import { InstancePool } from './instance-pool.js'

afterEach(() => {
  vi.restoreAllMocks()
})

const kind = {
  create: async () => ({}),
  isBoundTo: () => true,
  accepts: () => true,
  bind() {},
  reset: () => undefined,
  dispose() {},
  memoryBytes: () => 0,
}

/** The timers of Node that a pool with its own clock sets. */
function timersOf({ mock }: { mock: { results: readonly { value?: unknown }[] } }) {
  return mock.results.map(({ value }) => value as NodeJS.Timeout)
}

it('a caller that waits keeps the process alive until it is told', async () => {
  const spy = vi.spyOn(globalThis, 'setTimeout')
  const pool = new InstancePool(kind, { maxInstances: 1, acquireTimeoutMs: 20 })
  const lease = await pool.acquire(undefined)
  spy.mockClear()
  const waiting = pool.acquire(undefined)
  expect(timersOf(spy).map((timer) => timer.hasRef())).toEqual([true])
  await expect(waiting).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' })
  pool.release(lease)
  await pool.shutdown()
})

it('an idle instance keeps no process alive', async () => {
  const spy = vi.spyOn(globalThis, 'setTimeout')
  const pool = new InstancePool(kind, { idleTimeoutMs: 600_000 })
  const lease = await pool.acquire(undefined)
  spy.mockClear()
  pool.release(lease)
  expect(timersOf(spy).every((timer) => !timer.hasRef())).toBe(true)
  await pool.shutdown()
})

it('an instance that was prewarmed is taken before a new one is made', async () => {
  const pool = new InstancePool<object, string>(
    { ...kind, isBoundTo: () => false },
    { minInstances: 2, maxInstances: 8 },
  )
  await pool.prewarm('base')
  const leases = [await pool.acquire('a'), await pool.acquire('b')]
  expect(pool.getStats()).toMatchObject({ created: 2, rebinds: 2, active: 2 })
  const third = await pool.acquire('c')
  expect(pool.getStats()).toMatchObject({ created: 3 })
  for (const lease of [...leases, third]) pool.release(lease)
  await pool.acquire('d')
  // Each was used by another: while there is room, a new one is made.
  expect(pool.getStats()).toMatchObject({ created: 4 })
})
