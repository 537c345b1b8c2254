import { EventBus } from '@nexus/event-bus'
import { FaultProxy } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, startRedis, untilTestEnds } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'

/** Ways for a group to go, while a process of it cannot reach the server. */
const LOSSES: readonly [what: string, lose: (redis: Redis) => Promise<unknown>][] = [
  ['the server was emptied', (redis) => redis.flushall()],
  ['another process removed it', (redis) => removeGroup(redis.options.port!)],
]

async function removeGroup(port: number): Promise<void> {
  const bus = await openBus(port)
  expect(await bus.removeGroup('g')).toBe(true)
  await bus.close()
}

function openBus(port: number): Promise<EventBus> {
  return EventBus.open({ store: redisStore({ url: `redis://127.0.0.1:${port}` }) })
}

async function subscribe(bus: EventBus, patterns: string[]): Promise<string[]> {
  const got: string[] = []
  await bus.subscribe(patterns, ({ event }) => void got.push(event.id), { group: 'g' }).ready
  return got
}

describe.skipIf(!hasRedis())('a group on Redis that was made again', () => {
  /** A process that asks for a and b through a network that is cut, and one that asks for what is given. */
  async function start(patterns: string[]) {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const redis = new Redis(server.port)
    const proxy = await FaultProxy.start(server.port)
    const away = await openBus(proxy.port)
    const got = await subscribe(away, ['a', 'b'])
    const near = await openBus(server.port)
    await subscribe(near, patterns)
    const groupId = async (): Promise<string | undefined> => {
      const json = await redis.hget('nexus:{bus}:groups', 'g')
      return json === null ? undefined : JSON.parse(json).id
    }
    const firstId = await groupId()
    proxy.reset()
    return {
      redis,
      near,
      got,
      proxy,
      server,
      remade: () =>
        expect
          .poll(async () => ![undefined, firstId].includes(await groupId()), { timeout: 10_000 })
          .toBe(true),
      /** The first process reaches the server again, and `late` asks for the same: one of them gets the event. */
      expectHandledOnce: async (late: EventBus) => {
        const gotLate = await subscribe(late, ['a', 'b'])
        proxy.flow()
        await expect.poll(() => [...got, ...gotLate], { timeout: 10_000 }).toEqual(['meanwhile'])
        await late.close()
      },
      close: async () => {
        redis.disconnect()
        await Promise.all([near.close(), away.close()])
        await proxy.close()
      },
    }
  }

  for (const [what, lose] of LOSSES) {
    it(`keeps for a process what only it asks for, though one with other patterns came first: ${what}`, async () => {
      const { redis, near, got, proxy, remade, close } = await start(['a'])
      await lose(redis)
      await remade()
      await near.publish({ type: 'b', id: 'meanwhile' })
      proxy.flow()
      await expect.poll(() => got, { timeout: 10_000 }).toEqual(['meanwhile'])
      await near.publish({ type: 'b', id: 'later' })
      await expect.poll(() => got, { timeout: 10_000 }).toEqual(['meanwhile', 'later'])
      await close()
    }, 60_000)
  }

  it('keeps it also when a new process asks for the same in between', async () => {
    const { redis, near, server, remade, expectHandledOnce, close } = await start(['a'])
    await redis.flushall()
    await remade()
    await near.publish({ type: 'b', id: 'meanwhile' })
    const late = await openBus(server.port)
    await expectHandledOnce(late)
    await close()
  }, 60_000)

  it('goes on behind the loss, though a new process began it at the end of the log', async () => {
    const { redis, near, server, expectHandledOnce, close } = await start(['c'])
    await near.close()
    await redis.flushall()
    const late = await openBus(server.port)
    await late.publish({ type: 'a', id: 'meanwhile' })
    await expectHandledOnce(late)
    await close()
  }, 60_000)
})
