import { expect, it, vi } from 'vitest'
import { MetricsCache } from './metrics-cache.js'
import type { SharedMetricsCache } from './metrics-cache-options.js'

it('keeps figures for a second and states for half of one, to the millisecond', async () => {
  const { cache, clock, counter } = setUp()
  for (const tier of ['metrics', 'status'] as const) await cache.get(tier, 'web', counter)
  clock.time += 500
  expect(await cache.get('status', 'web', counter)).toBe(2)
  clock.time += 1
  expect(await cache.get('status', 'web', counter)).toBe(3)
  clock.time += 499
  expect(await cache.get('metrics', 'web', counter)).toBe(1)
  clock.time += 1
  expect(await cache.get('metrics', 'web', counter)).toBe(4)
  expect(cache.getStats()).toMatchObject({
    metrics: { hits: 1, misses: 2, ttlMs: 1000, entries: 1 },
    status: { hits: 1, misses: 2, ttlMs: 500, entries: 1 },
  })
})

it('takes other times, and refuses ones that make no sense', async () => {
  const { cache, clock, counter } = setUp({ ttlMs: 10, statusTtlMs: 20 })
  await cache.get('metrics', 'web', counter)
  await cache.get('status', 'web', counter)
  clock.time += 11
  expect(await cache.get('metrics', 'web', counter)).toBe(3)
  expect(await cache.get('status', 'web', counter)).toBe(2)
  expect(() => new MetricsCache({ ttlMs: 0 })).toThrow(/MetricsCache: ttlMs/)
  const unknown = { ttlMs: 5, ttl: 5 }
  expect(() => new MetricsCache(unknown)).toThrow(/ttl/)
})

it('lets those who ask at the same time share one load', async () => {
  const { cache, counter } = setUp()
  const asked = Array.from({ length: 50 }, () => cache.get('status', 'web', counter))
  expect(new Set(await Promise.all(asked))).toEqual(new Set([1]))
  expect(cache.getStats().status).toMatchObject({ hits: 0, misses: 1, joined: 49 })
})

it('forgets a service that changes, and what concerns all of them with it', async () => {
  const { cache, counter } = setUp()
  for (const name of ['web', 'api', '*']) await cache.get('status', name, counter)
  cache.invalidate('web')
  expect(await cache.get('status', 'api', counter)).toBe(2)
  expect(await cache.get('status', 'web', counter)).toBe(4)
  expect(await cache.get('status', '*', counter)).toBe(5)
  expect(cache.getStats().invalidations).toBe(1)
})

it('does not keep what was being loaded while the service changed', async () => {
  const { cache, counter } = setUp()
  let finish!: (value: string) => void
  const before = cache.get('status', 'web', () => new Promise((done) => (finish = done)))
  await new Promise(setImmediate)
  cache.invalidate('web')
  const after = cache.get('status', 'web', counter)
  finish('old')
  expect(await before).toBe('old')
  expect(await after).toBe(1)
  expect(await cache.get('status', 'web', counter)).toBe(1)
})

it('tells the shared tier what it has to before it is closed', async () => {
  const order: string[] = []
  const shared = {
    get: async () => null,
    set: async () => {
      await new Promise(setImmediate)
      order.push('set')
    },
    delete: async () => {},
    close: async () => void order.push('closed'),
  } satisfies SharedMetricsCache
  const { cache, counter } = setUp({ shared })
  await cache.get('status', 'web', counter)
  await cache.close()
  expect(order).toEqual(['set', 'closed'])
})

it('does not keep failures', async () => {
  const { cache, counter } = setUp()
  const failure = cache.get('status', 'web', () => Promise.reject(new Error('no daemon')))
  await expect(failure).rejects.toThrow('no daemon')
  expect(await cache.get('status', 'web', counter)).toBe(1)
})

it('has at most maxEntries entries, and none after clear', async () => {
  const { cache, counter } = setUp({ maxEntries: 3 })
  for (let n = 0; n < 10; n++) await cache.get('status', `s${n}`, counter)
  expect(cache.getStats()).toMatchObject({ status: { entries: 3 }, maxEntries: 3 })
  expect(await cache.get('status', 's9', counter)).toBe(10)
  cache.clear()
  expect(cache.getStats().status.entries).toBe(0)
  expect(await cache.get('status', 's9', counter)).toBe(11)
})

it('removes expired entries that are not asked for', async () => {
  vi.useFakeTimers()
  try {
    const { cache, clock, counter } = setUp()
    await cache.get('status', 'web', counter)
    clock.time += 501
    vi.advanceTimersByTime(501)
    expect(cache.getStats().status.entries).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

it('goes on without a shared tier that fails, and leaves it alone for a while', async () => {
  const shared = {
    get: vi.fn(() => Promise.reject(new Error('down'))),
    set: vi.fn(() => Promise.reject(new Error('down'))),
    delete: vi.fn(() => Promise.reject(new Error('down'))),
    close: vi.fn(async () => {}),
  } satisfies SharedMetricsCache
  const { cache, clock, counter } = setUp({ shared })
  expect(await cache.get('status', 'a', counter)).toBe(1)
  expect(await cache.get('status', 'b', counter)).toBe(2)
  cache.invalidate('a')
  expect(shared.get).toHaveBeenCalledTimes(1)
  expect(shared.set).not.toHaveBeenCalled()
  clock.time += 1000
  expect(await cache.get('status', 'a', counter)).toBe(3)
  expect(shared.get).toHaveBeenCalledTimes(2)
  expect(cache.getStats().shared).toEqual({ hits: 0, misses: 0, failures: 2 })
  await cache.close()
  expect(shared.close).toHaveBeenCalledOnce()
})

it('keeps what the shared tier has for no longer than it does', async () => {
  const shared = {
    get: async () => ({ value: 'shared', remainingMs: 100 }),
    set: async () => {},
    delete: async () => {},
    close: async () => {},
  } satisfies SharedMetricsCache
  const { cache, clock, counter } = setUp({ shared })
  expect(await cache.get('status', 'a', counter)).toBe('shared')
  clock.time += 100
  await cache.get('status', 'a', counter)
  expect(cache.getStats().status.hits).toBe(1)
  clock.time += 1
  await cache.get('status', 'a', counter)
  expect(cache.getStats()).toMatchObject({ status: { hits: 1 }, shared: { hits: 2 } })
})

function setUp(options: ConstructorParameters<typeof MetricsCache>[0] = {}) {
  const clock = { time: 1_000_000 }
  const cache = new MetricsCache({ now: () => clock.time, ...options })
  let loads = 0
  return { cache, clock, counter: async (): Promise<unknown> => ++loads }
}
