import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { freePort, hasRedis, type ServerProcess, startRedis, untilTestEnds } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'

const open = (address: string, retention = {}) =>
  EventBus.open({
    store: redisStore({ url: `redis://${address}`, requestTimeoutMs: 2_000, retention }),
  })

const refusal = async (address: string): Promise<{ code: string; message: string }> => {
  const opened = await open(address).catch((error: unknown) => error)
  expect(opened).toBeInstanceOf(Error)
  return opened as { code: string; message: string }
}

async function command(
  server: ServerProcess,
  send: (redis: Redis) => Promise<unknown>,
): Promise<unknown> {
  const redis = new Redis(`redis://${server.address}`)
  try {
    return await send(redis)
  } finally {
    redis.disconnect()
  }
}

/** A name that stands for one server, and later for another. */
async function startAddress(target: ServerProcess) {
  let current = target
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(current.port, '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  await untilTestEnds(
    Promise.resolve({
      stop: async () => {
        proxy.close()
        for (const socket of sockets) socket.destroy()
      },
    }),
  )
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    pointTo: (server: ServerProcess) => {
      current = server
    },
  }
}

describe.skipIf(!hasRedis())('a bus on a Redis server that is not as it should be', () => {
  it('refuses at open a node of a cluster, and a server that may remove what it holds', async () => {
    const cluster = await untilTestEnds(startRedis(['--cluster-enabled', 'yes']))
    const inCluster = await refusal(cluster.address)
    expect(inCluster).toMatchObject({ code: 'INVALID_OPTIONS' })
    expect(inCluster.message).toContain('cluster')

    const evicting = await untilTestEnds(
      startRedis(['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru']),
    )
    const mayEvict = await refusal(evicting.address)
    expect(mayEvict).toMatchObject({ code: 'INVALID_OPTIONS' })
    expect(mayEvict.message).toContain('allkeys-lru')
    // Nothing of the bus has a time to live, so a volatile policy leaves it alone.
    await command(evicting, (redis) => redis.config('SET', 'maxmemory-policy', 'volatile-lru'))
    const bus = await open(evicting.address)
    await bus.publish({ type: 'a' })
    await bus.close()
  }, 60_000)

  it('says in one line what is wrong when the server is away or refuses the password', async () => {
    const away = await refusal(`127.0.0.1:${await freePort()}`)
    expect(away.message).toMatch(
      /^Redis at redis:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED [^\n]*$/,
    )
    const guarded = await untilTestEnds(startRedis(['--requirepass', 'right']))
    for (const user of ['', ':wrong@']) {
      const { message } = await refusal(`${user}${guarded.address}`)
      expect(message).toMatch(/(NOAUTH|WRONGPASS)[^\n]*correct them in url$/)
    }
  })

  it('drains consumers and frees memory while the memory of the server is full', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no', '--maxmemory', '12mb']))
    const publisher = await open(server.address)
    const opened = publisher.subscribe('a', () => {}, { group: 'g' })
    await opened.ready
    await opened.close()
    let stored = 0
    let full: unknown
    while (full === undefined) {
      const events = Array.from({ length: 50 }, () => ({ type: 'a', data: 'x'.repeat(2_000) }))
      await publisher.publishBatch(events).then(
        () => {
          stored += events.length
        },
        (error: unknown) => {
          full = error
        },
      )
    }
    expect(full).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((full as Error).message).toContain('memory of the server is full')
    // What was refused was refused as a whole.
    expect((await publisher.list({ limit: 1 })).total).toBe(stored)

    let handled = 0
    const consumer = await open(server.address, { maxEvents: 10 })
    consumer.subscribe(
      'a',
      () => {
        handled += 1
      },
      { group: 'g', concurrency: 16 },
    )
    await expect.poll(() => handled, { timeout: 20_000 }).toBe(stored)
    await expect
      .poll(async () => (await publisher.list({ limit: 1 })).total, { timeout: 20_000 })
      .toBe(10)
    await publisher.publish({ type: 'a', data: 'x'.repeat(2_000) })
    await expect.poll(() => handled, { timeout: 20_000 }).toBe(stored + 1)
    await Promise.all([publisher.close(), consumer.close()])
  }, 90_000)

  it('stores what a handler emits once there is memory again, and settles what emits nothing', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await open(server.address)
    let starts = 0
    const handlers = {
      emits: () => {
        starts += 1
        return { emit: [{ type: 'made', data: 'x'.repeat(1_000) }] }
      },
      quiet: () => {},
    }
    for (const [group, handler] of Object.entries(handlers)) {
      await bus.subscribe('a', handler, { group }).ready
    }
    const states = async () => {
      const { deliveries } = (await bus.get('x'))!
      return Object.fromEntries(deliveries.map(({ group, status }) => [group, status]))
    }
    // Full from the moment at which the event is stored.
    await bus.publish({ type: 'a', id: 'x' }, { delayMs: 1_000 })
    await command(server, (redis) => redis.config('SET', 'maxmemory', '1mb'))
    await expect.poll(states, { timeout: 20_000 }).toEqual({ emits: 'running', quiet: 'succeeded' })
    await expect.poll(() => starts).toBe(1)
    expect((await bus.list({ type: 'made' })).total).toBe(0)
    await command(server, (redis) => redis.config('SET', 'maxmemory', '0'))
    await expect
      .poll(states, { timeout: 20_000 })
      .toEqual({ emits: 'succeeded', quiet: 'succeeded' })
    expect((await bus.list({ type: 'made' })).total).toBe(1)
    expect(starts).toBe(1)
    await bus.close()
  }, 60_000)

  it('goes on at the new primary after a failover', async () => {
    const first = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const second = await untilTestEnds(startRedis(['--appendonly', 'no']))
    await command(second, (redis) => redis.replicaof('127.0.0.1', first.port))
    const { address, pointTo } = await startAddress(first)
    const bus = await open(address)
    const got: string[] = []
    const subscription = bus.subscribe('a', ({ event }) => void got.push(event.id), {
      group: 'g',
      ackWaitMs: 2_000,
    })
    await subscription.ready
    await bus.publish({ type: 'a', id: 'before' })
    await expect.poll(() => got).toEqual(['before'])
    const replicated = async () =>
      Number(await command(second, (redis) => redis.xlen('nexus:{bus}:events')))
    await expect.poll(replicated, { timeout: 10_000 }).toBe(1)
    // The old primary becomes a replica of the new one, and the name points to the new one.
    await command(second, (redis) => redis.replicaof('NO', 'ONE'))
    pointTo(second)
    await command(first, (redis) => redis.replicaof('127.0.0.1', second.port))
    await expect
      .poll(() => bus.publish({ type: 'a', id: 'after' }).then(() => 'stored', String), {
        timeout: 20_000,
      })
      .toBe('stored')
    await expect.poll(() => got, { timeout: 20_000 }).toContain('after')
    await bus.close()
  }, 60_000)

  it('is not called durable by a server that does not say how it syncs', async () => {
    const settings = ['--appendonly', 'yes', '--appendfsync', 'always']
    const silent = await untilTestEnds(
      startRedis([
        ...settings,
        '--user',
        'default',
        'on',
        'nopass',
        '~*',
        '&*',
        '+@all',
        '-config',
      ]),
    )
    const lax = await untilTestEnds(startRedis([...settings, '--no-appendfsync-on-rewrite', 'yes']))
    for (const [server, durability] of [
      [silent, 'memory'],
      [lax, 'os'],
    ] as const) {
      const bus = await open(server.address)
      expect((await bus.getStats()).store.durability).toBe(durability)
      await expect(bus.publish({ type: 'a' }, { durability: 'disk' })).rejects.toMatchObject({
        code: 'INVALID_OPTIONS',
      })
      await bus.close()
    }
  })
})
