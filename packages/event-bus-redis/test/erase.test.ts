import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis, untilTestEnds } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'

const clock = { now: Date.now, monotonic: () => performance.now(), schedule: () => () => {} }
const signal = new AbortController().signal

/** Every byte of every key, those of entries that a stream only marks as deleted included. */
async function everythingStored(server: ServerProcess): Promise<string> {
  const redis = new Redis(`redis://${server.address}`)
  const keys = await redis.keys('*')
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
  redis.disconnect()
  return [...keys, ...dumps.map((dump) => dump?.toString('latin1'))].join('\n')
}

describe.skipIf(!hasRedis())('an event on Redis that is erased', () => {
  async function start(retention = {}) {
    // Compressed values would hide what they hold.
    const server = await untilTestEnds(startRedis(['--appendonly', 'no', '--rdbcompression', 'no']))
    const options = { url: `redis://${server.address}`, retention }
    const bus = await EventBus.open({ store: redisStore(options) })
    return { server, options, bus }
  }

  it('leaves nothing of its data, results and errors in any key of the server', async () => {
    const { server, bus } = await start()
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let starts = 0
    const handlers = {
      succeeds: () => ({ record: { durationMs: 5, result: 'secret-result' } }),
      fails: () => {
        throw new Error('secret-error "durationMs":1')
      },
      'is-running': async () => {
        starts += 1
        await finished
        return { record: 'secret-late-result' }
      },
      'fails-late': async () => {
        starts += 1
        await finished
        throw new Error('secret-late-error')
      },
    }
    for (const [group, handler] of Object.entries(handlers)) {
      await bus.subscribe('a', handler, { group, retry: { maxAttempts: 1 } }).ready
    }
    const neighbours = ['before', 'x', 'after'].map((id) => ({
      type: 'a',
      id,
      data: id === 'x' ? 'secret-data' : 'kept-data',
    }))
    await bus.publishBatch(neighbours)
    await bus.publish({ type: 'a', id: 'delayed', data: 'secret-delayed' }, { delayMs: 3_600_000 })
    const states = async () => {
      const { deliveries } = (await bus.get('x'))!
      return Object.fromEntries(deliveries.map(({ group, status }) => [group, status]))
    }
    await expect.poll(async () => (await bus.deadLetters.list()).total, { timeout: 10_000 }).toBe(3)
    await expect.poll(() => starts).toBe(6)
    await expect.poll(async () => (await states()).succeeds).toBe('succeeded')
    const before = await everythingStored(server)
    for (const text of ['secret-data', 'secret-delayed', 'secret-result', 'secret-error']) {
      expect(before).toContain(text)
    }
    const { bytes } = (await bus.getStats()).store

    // Those of the neighbours are theirs.
    for (const { id } of neighbours) expect(await bus.erase({ id, reason: 'asked for' })).toBe(true)
    expect(await bus.erase({ id: 'delayed' })).toBe(true)
    expect(await everythingStored(server)).not.toMatch(/secret|kept-data/)
    finish()
    await expect.poll(states, { timeout: 10_000 }).toEqual({
      succeeds: 'succeeded',
      fails: 'dead-lettered',
      'is-running': 'succeeded',
      'fails-late': 'dead-lettered',
    })
    await expect.poll(async () => (await bus.deadLetters.list()).total).toBe(6)
    const after = await everythingStored(server)
    expect(after).not.toMatch(/secret|kept-data/)
    expect(after).toContain('asked for')
    expect((await bus.getStats()).store.bytes).toBeLessThan(bytes)
    const [letter] = (await bus.deadLetters.list({ group: 'fails', id: 'x' })).deadLetters
    expect(letter).toMatchObject({
      attempts: 1,
      error: { message: 'erased' },
      erased: { reason: 'asked for' },
    })
    const listed = await bus.list({ order: 'asc' })
    expect(listed.events.map(({ event }) => event.id)).toEqual(['before', 'x', 'after', 'delayed'])
    expect(listed.total).toBe(4)
    // Its id is still taken.
    expect(await bus.publish(neighbours[1]!)).toMatchObject({ duplicate: true, sequence: 2 })
    await bus.close()
  }, 60_000)

  it('reaches handlers as its envelope, also when it was claimed before', async () => {
    const { options, bus } = await start()
    const store = redisStore(options)
    const ignore = (): void => {}
    await store.open({
      clock,
      onConnected: ignore,
      onDisconnected: ignore,
      onEmptied: ignore,
      onRepaired: ignore,
      onError: ignore,
    })
    const consumer = await store.openGroup({
      name: 'g',
      patterns: ['a'],
      start: 'now',
      ordered: false,
      ackWaitMs: 30_000,
    })
    await bus.publishBatch(['1', '2'].map((id) => ({ type: 'a', id, data: `data-${id}` })))
    const [claim] = await consumer.fetch(1, signal)
    expect(claim?.event.data).toBe('data-1')
    for (const id of ['1', '2']) await bus.erase({ id })
    await consumer.begin([claim!])
    expect(claim?.event).not.toHaveProperty('data')
    expect(claim?.erased?.at).toMatch(/^\d{4}-/)
    const [next] = await consumer.fetch(1, signal)
    expect(next).toMatchObject({ event: { id: '2' }, erased: {} })
    expect(next?.event).not.toHaveProperty('data')
    await Promise.all([bus.close(), store.close()])
  })

  it('is told apart by source, and leaves the server with retention', async () => {
    const { server, bus } = await start({ maxEvents: 2 })
    for (const source of ['/one', '/two']) {
      await bus.publish({ type: 'a', id: 'x', source, data: source, subject: `of ${source}` })
    }
    await expect(bus.erase({ id: 'x' })).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
    expect(await bus.erase({ id: 'x', source: '/three' })).toBe(false)
    expect(await bus.erase({ id: 'x', source: '/one', reason: '"quoted"\n%d' })).toBe(true)
    expect(await bus.get('x', '/one')).toMatchObject({
      event: { subject: 'of /one' },
      erased: { reason: '"quoted"\n%d' },
    })
    const other = await bus.get('x', '/two')
    expect(other?.event.data).toBe('/two')
    expect(other).not.toHaveProperty('erased')
    await bus.publishBatch([{ type: 'b' }, { type: 'b' }])
    await expect.poll(() => bus.get('x'), { timeout: 10_000 }).toBe(undefined)
    const all = await everythingStored(server)
    expect(all).not.toMatch(/of \/one|quoted/)
    await bus.close()
  })
})
