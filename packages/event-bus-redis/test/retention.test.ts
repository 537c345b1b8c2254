import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const timeout = 10_000

describe.skipIf(!hasRedis())('retention on Redis', () => {
  let server: ServerProcess
  let prefixes = 0

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'no'])
  })
  afterAll(() => server.stop())

  const open = (retention = {}, prefix = `retention-${prefixes++}`) =>
    EventBus.open({ store: redisStore({ url: `redis://${server.address}`, prefix, retention }) })

  const kept = async (bus: EventBus): Promise<string> => {
    const { events } = await bus.list({ limit: 500, order: 'asc' })
    return events.map(({ event }) => event.id).join()
  }

  /** A group whose handler fails for events of the type `bad`. */
  async function subscribe(bus: EventBus, options = {}): Promise<string[]> {
    const got: string[] = []
    const subscription = bus.subscribe(
      '>',
      ({ event }) => {
        got.push(event.id)
        if (event.type === 'bad') throw new Error('no')
      },
      { group: 'g', retry: { maxAttempts: 1 }, ...options },
    )
    await subscription.ready
    return got
  }

  const numbered = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ type: 'good', id: `${prefix}${n}` }))

  it('leaves dead letters, removes their neighbours, and removes them once they are none', async () => {
    const bus = await open({ maxEvents: 3 })
    await subscribe(bus)
    await bus.publishBatch([
      ...numbered('a', 5),
      { type: 'bad', id: 'dead1' },
      ...numbered('b', 5),
      { type: 'bad', id: 'dead2' },
      ...numbered('c', 5),
    ])
    await expect.poll(() => kept(bus), { timeout }).toBe('dead1,dead2,c2,c3,c4')
    expect((await bus.deadLetters.list()).total).toBe(2)
    expect((await bus.getStats()).store.events).toBe(5)
    expect((await bus.list()).total).toBe(5)
    // They do not count, and what comes later is removed as before.
    await bus.publishBatch(numbered('d', 5))
    await expect.poll(() => kept(bus), { timeout }).toBe('dead1,dead2,d2,d3,d4')
    await bus.deadLetters.purge({ id: 'dead1' })
    await bus.publish({ type: 'good', id: 'e' })
    await expect.poll(() => kept(bus), { timeout }).toBe('dead2,d3,d4,e')
    expect((await bus.getStats()).store.removed.events).toBe(19)
    await bus.close()
  }, 60_000)

  it('leaves more dead letters than it looks at in one step', async () => {
    const bus = await open({ maxEvents: 1 })
    await subscribe(bus, { concurrency: 64 })
    await bus.publishBatch(Array.from({ length: 1_200 }, () => ({ type: 'bad' })))
    await expect
      .poll(async () => (await bus.deadLetters.list()).total, { timeout: 30_000 })
      .toBe(1_200)
    await bus.publishBatch(numbered('a', 20))
    await expect.poll(async () => (await bus.list()).total, { timeout }).toBe(1_201)
    await bus.deadLetters.purge({})
    await bus.publish({ type: 'good', id: 'last' })
    await expect.poll(() => kept(bus), { timeout }).toBe('last')
    await bus.close()
  }, 60_000)

  it('leaves what a group has not handled that is away, delayed or replayed', async () => {
    const bus = await open({ maxEvents: 1 })
    const away = bus.subscribe('good', () => {}, { group: 'away' })
    await away.ready
    await away.close()
    await bus.publishBatch(numbered('a', 3))
    await bus.publish({ type: 'later', id: 'delayed' }, { delayMs: 1_500 })
    const got = await subscribe(bus, { group: 'later', start: 'beginning' })
    await expect.poll(() => got.join(), { timeout }).toBe('a0,a1,a2,delayed')
    await bus.publishBatch(numbered('b', 3))
    // A second look comes after every settlement.
    await expect.poll(() => got.length, { timeout }).toBe(7)
    expect(await kept(bus)).toBe('a0,a1,a2,delayed,b0,b1,b2')
    bus.subscribe('good', () => {}, { group: 'away' })
    await expect.poll(() => kept(bus), { timeout: 15_000 }).toBe('b2')
    await bus.close()
  }, 60_000)

  it('removes what is too old though a wrong clock stamped an event before it', async () => {
    const bus = await open({ maxAgeMs: 1_000 })
    await bus.publish({ type: 'good', id: 'a' })
    await bus.publish({ type: 'good', id: 'b' })
    await expect.poll(() => kept(bus), { timeout }).toBe('')
    await bus.close()
  })

  it('frees an id with its event, and only for its source', async () => {
    const bus = await open({ maxEvents: 2 })
    for (const source of ['one', 'two', 'three']) {
      expect(await bus.publish({ type: 'good', id: 'x', source })).toMatchObject({
        duplicate: false,
      })
    }
    await expect.poll(async () => (await bus.list()).total, { timeout }).toBe(2)
    for (const [source, duplicate] of [
      ['two', true],
      ['three', true],
      ['one', false],
    ] as const) {
      expect(await bus.publish({ type: 'good', id: 'x', source })).toMatchObject({ duplicate })
    }
    await bus.close()
  })
})
