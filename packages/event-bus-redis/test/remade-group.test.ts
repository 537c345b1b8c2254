import { EventBus, parseOptions } from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import { FaultProxy } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, startRedis, untilTestEnds } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { RedisServer } from '../src/connection/redis-server.js'
import { RedisGroup } from '../src/group/group.js'
import { redisStoreSchema } from '../src/options.js'

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

  it('keeps for a process what only it asks for, where the server was emptied after it said that it is there', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const options = { url: `redis://127.0.0.1:${server.port}` }
    const away = new RedisServer(parseOptions(redisStoreSchema, options, 'redisStore'))
    const ignore = (): void => {}
    await away.connect({
      onConnected: ignore,
      onDisconnected: ignore,
      onReady: ignore,
      onWake: ignore,
      onError: ignore,
    })
    const request = { name: 'g', patterns: ['a', 'b'], ordered: false, ackWaitMs: 30_000 }
    const guard = { add: ignore, flush: ignore } as unknown as ClaimGuard
    const group = new RedisGroup(
      { ...request, start: 'now' },
      (script, args) => away.run(script, args),
      { guard, onSettled: ignore, onLost: ignore, onClose: ignore },
    )
    await group.open(0)
    // Says that it is there, and looks at the groups.
    const near = await openBus(server.port)
    await subscribe(near, ['a'])
    await near.publish({ type: 'b', id: 'meanwhile' })
    const claims = await group.fetch(1, new AbortController().signal)
    expect(claims.map(({ event }) => event.id)).toEqual(['meanwhile'])
    away.close()
    await near.close()
  })

  it('keeps what the newest patterns match, whichever process makes it again last', async () => {
    const { redis, near, proxy, remade, close } = await start(['a'])
    await redis.flushall()
    await remade()
    proxy.flow()
    const sets = async () => {
      const json = (await redis.hget('nexus:{bus}:groups', 'g')) ?? '{"sets":[]}'
      return (JSON.parse(json) as { sets: { patterns: string[] }[] }).sets.map((s) => s.patterns)
    }
    // The process that asks for a came last.
    await expect.poll(sets, { timeout: 10_000 }).toEqual([['a', 'b'], ['a']])
    await near.close()
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
