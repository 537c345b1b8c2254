import { EventBus } from '@nexus/event-bus'
import { RedisCacheTier, redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis, untilTestEnds } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe.skipIf(!hasRedis())('a bus on Redis', () => {
  let server: ServerProcess

  beforeAll(async () => {
    server = await startRedis()
  })

  afterAll(async () => {
    await server.stop()
  })

  it('says what a server can promise, and refuses to promise more', async () => {
    const lax = await untilTestEnds(
      startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec']),
    )
    const forgetful = await untilTestEnds(startRedis(['--appendonly', 'no']))
    for (const [one, durability] of [
      [server, 'disk'],
      [lax, 'os'],
      [forgetful, 'memory'],
    ] as const) {
      const bus = await EventBus.open({
        store: redisStore({ url: `redis://${one.address}`, prefix: 'levels' }),
      })
      expect((await bus.getStats()).store.durability).toBe(durability)
      await bus.publish({ type: 'a' }, { durability })
      if (durability !== 'disk') {
        await expect(bus.publish({ type: 'a' }, { durability: 'disk' })).rejects.toMatchObject({
          code: 'INVALID_OPTIONS',
        })
      }
      await bus.close()
    }
  })

  it('says where it cannot connect', async () => {
    const store = redisStore({ url: 'redis://127.0.0.1:1', requestTimeoutMs: 500 })
    await expect(EventBus.open({ store })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('shares compiled code between machines', async () => {
    const one = new RedisCacheTier({ url: `redis://${server.address}` })
    const two = new RedisCacheTier({ url: `redis://${server.address}` })
    expect(await two.get('key')).toBe(undefined)
    await one.put('key', new Uint8Array([0, 255, 128]))
    expect(new Uint8Array((await two.get('key'))!)).toEqual(new Uint8Array([0, 255, 128]))
    await one.close()
    await two.close()
    await expect(one.get('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
