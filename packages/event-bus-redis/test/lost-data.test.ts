import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis, untilTestEnds } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'

/** How a server can lose what it held. */
const LOSSES: readonly [
  what: string,
  lose: (server: ServerProcess) => Promise<void>,
  told: RegExp,
][] = [
  [
    'is restarted without persistence',
    async (server) => {
      await server.kill()
      await server.restart()
    },
    /lost events: its newest was number 1, now 0|is empty/,
  ],
  [
    'is emptied by FLUSHALL',
    (server) => command(server, (redis) => redis.flushall()),
    /lost events: its newest was number 1, now 0|is empty/,
  ],
  [
    'loses the keys of the bus',
    (server) => command(server, async (redis) => redis.del(...(await redis.keys('nexus:{bus}:*')))),
    /lost events: its newest was number 1, now 0|is empty/,
  ],
  [
    'loses its list of groups',
    (server) => command(server, (redis) => redis.del('nexus:{bus}:groups')),
    /the key groups was deleted/,
  ],
  [
    'loses its counters',
    (server) => command(server, (redis) => redis.del('nexus:{bus}:meta')),
    /lost the key nexus:{bus}:meta, and maybe events/,
  ],
]

async function command(
  server: ServerProcess,
  send: (redis: Redis) => Promise<unknown>,
): Promise<void> {
  const redis = new Redis(`redis://${server.address}`)
  await send(redis)
  redis.disconnect()
}

describe.skipIf(!hasRedis())('a bus on a Redis server that loses data', () => {
  async function start() {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })
    const got: string[] = []
    const errors: string[] = []
    bus.on('error', (error) => errors.push((error as Error).message))
    const subscription = bus.subscribe('a', ({ event }) => void got.push(event.id), {
      group: 'g',
      ackWaitMs: 1_000,
    })
    await subscription.ready
    await bus.publish({ type: 'a', id: 'before' })
    await expect.poll(() => got).toEqual(['before'])
    await expect.poll(async () => (await bus.getStats()).store.groups[0]?.running).toBe(0)
    return { server, bus, got, errors }
  }

  for (const [what, lose, told] of LOSSES) {
    it(`goes on consuming when the server ${what}, and says so`, async () => {
      const { server, bus, got, errors } = await start()
      const emptied: string[] = []
      bus.on('emptied', (what) => emptied.push(what))
      await lose(server)
      await expect.poll(() => emptied.join(), { timeout: 10_000 }).toMatch(told)
      await expect
        .poll(() => bus.publish({ type: 'a', id: 'at once' }).catch(() => undefined), {
          timeout: 10_000,
        })
        .toBeDefined()
      expect(errors.join()).toMatch(told)
      await bus.publish({ type: 'a', id: 'after' })
      await expect.poll(() => got, { timeout: 10_000 }).toContain('after')
      await expect.poll(() => got, { timeout: 10_000 }).toContain('at once')
      const { store } = await bus.getStats()
      expect(store.details.losses).toBeGreaterThan(0)
      expect(store.groups.map(({ group }) => group)).toEqual(['g'])
      await bus.close()
    }, 60_000)
  }

  it('delivers again what runs in this process when another one removes its group', async () => {
    const { server, bus } = await start()
    const starts: number[] = []
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const slow = bus.subscribe(
      'slow',
      async ({ attempt }) => {
        starts.push(attempt)
        if (starts.length === 1) await finished
      },
      { group: 'slow' },
    )
    await slow.ready
    await bus.publish({ type: 'slow', id: 'x' })
    await expect.poll(() => starts).toEqual([1])
    const other = await EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })
    expect(await other.removeGroup('slow')).toBe(true)
    await expect.poll(() => starts, { timeout: 10_000 }).toEqual([1, 1])
    finish()
    await expect.poll(() => slow.getStats().lost, { timeout: 10_000 }).toBe(1)
    await expect
      .poll(async () => (await bus.get('x'))?.deliveries, { timeout: 10_000 })
      .toMatchObject([{ status: 'succeeded', attempts: 1 }])
    await Promise.all([bus.close(), other.close()])
  }, 60_000)

  it('makes a group again that another process removed, where this one was', async () => {
    const { server, bus, got, errors } = await start()
    const other = await EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })
    expect(await other.removeGroup('g')).toBe(true)
    await other.publish({ type: 'a', id: 'meanwhile' })
    await expect.poll(() => got, { timeout: 10_000 }).toEqual(['before', 'meanwhile'])
    expect(errors.join()).toContain('group g was missing')
    await Promise.all([bus.close(), other.close()])
  }, 60_000)

  it('has no retries of a group that was removed', async () => {
    const { bus } = await start()
    const failing = bus.subscribe(
      'b',
      () => {
        throw new Error('no')
      },
      { group: 'retries', retry: { baseDelayMs: 500, maxDelayMs: 500, jitter: 0 } },
    )
    await failing.ready
    await bus.publish({ type: 'b', id: 'old' })
    await expect.poll(async () => (await bus.get('old'))?.deliveries[0]?.status).toBe('retrying')
    await failing.close()
    await bus.removeGroup('retries')
    const got: string[] = []
    const again = bus.subscribe('b', ({ event }) => void got.push(event.id), { group: 'retries' })
    await again.ready
    await bus.publish({ type: 'b', id: 'new' }, { delayMs: 1_000 })
    await expect.poll(() => got, { timeout: 10_000 }).toEqual(['new'])
    await bus.close()
  }, 60_000)
})
