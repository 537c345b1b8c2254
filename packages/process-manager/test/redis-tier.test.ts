import { MetricsCache } from '@nexus/process-manager'
import { RedisTier, type RedisTierOptions } from '@nexus/process-manager/redis'
import { freePort, hasRedis, type ServerProcess, startRedis } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'

it.each(['nonsense', '', 'http://127.0.0.1:6379', 'redis:', 'redis://a:s3cret@x:port'])(
  'RedisTier refuses %o as an address, and prints no password',
  (url) => {
    const open = () => new RedisTier({ url })
    expect(open).toThrow('expected redis://…, rediss://… or an absolute path')
    expect(open).not.toThrow('s3cret')
  },
)

it('leaves nothing behind that keeps a process alive, where no Redis answers', async () => {
  const tier = new RedisTier({ url: `redis://127.0.0.1:${await freePort()}`, timeoutMs: 60_000 })
  await expect(tier.get('a')).rejects.toThrow()
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  await tier.close()
  expect(timers).not.toHaveBeenCalled()
})

describe.skipIf(!hasRedis())('RedisTier', () => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'no'])
  })
  afterAll(() => server.stop())

  function openCache(options: RedisTierOptions = {}): MetricsCache {
    const shared = new RedisTier({
      url: `redis://${server.address}`,
      timeoutMs: 10_000,
      ...options,
    })
    const cache = new MetricsCache({ shared, ttlMs: 60_000, statusTtlMs: 60_000, sharedRetryMs: 0 })
    onTestFinished(() => cache.close())
    return cache
  }
  const load = (value: unknown) => () => Promise.resolve(value)

  it('has one load serve every cache of a scope, and none of another scope', async () => {
    const [one, two] = [openCache({ scope: 'a' }), openCache({ scope: 'a' })]
    const status = { name: 'web', instances: [{ pid: 1, reason: null }] }
    expect(await one.get('status', 'web', load(status))).toEqual(status)
    const shared = () => two.get('status', 'web', load('own'))
    await expect.poll(shared).toEqual(status)
    expect(await openCache({ scope: 'b' }).get('status', 'web', load('other'))).toBe('other')
    expect(await two.get('metrics', 'web', load('figures'))).toBe('figures')
  })

  it('forgets for all of them what one invalidates', async () => {
    const [one, two] = [openCache({ scope: 'c' }), openCache({ scope: 'c' })]
    await one.get('status', 'web', load('old'))
    one.invalidate('web')
    const fresh = async () => {
      two.clear()
      return two.get('status', 'web', load('new'))
    }
    await expect.poll(fresh).toBe('new')
  })

  it('keeps an entry for no longer than its time', async () => {
    const shared = new RedisTier({
      url: `redis://${server.address}`,
      timeoutMs: 10_000,
      scope: 'd',
    })
    onTestFinished(() => shared.close())
    await shared.set('status:web', 'soon gone', 50)
    await expect.poll(() => shared.get('status:web')).toBe(null)
    await shared.set('status:web', 'stays', 60_000)
    const found = await shared.get('status:web')
    expect(found).toMatchObject({ value: 'stays' })
    expect(found!.remainingMs).toBeGreaterThan(0)
    expect(found!.remainingMs).toBeLessThanOrEqual(60_000)
  })

  it('answers without Redis while it is away, and with it when it is back', async () => {
    const cache = openCache({ scope: 'e' })
    await cache.get('status', 'web', load('kept'))
    await server.kill()
    cache.clear()
    expect(await cache.get('status', 'web', load('own'))).toBe('own')
    expect(cache.getStats().shared.failures).toBeGreaterThan(0)
    await server.restart()
    const back = async () => {
      cache.clear()
      await cache.get('status', 'web', load('again'))
      return cache.getStats().shared.hits
    }
    await expect.poll(back).toBeGreaterThan(0)
  })
})
