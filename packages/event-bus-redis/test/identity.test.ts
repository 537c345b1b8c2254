import { EventBus } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, startRedis, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

describe.skipIf(!hasRedis())('events on Redis', () => {
  it('are told apart by source and id, and asked for with the source where the id is not enough', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })
    const got: string[] = []
    const subscription = bus.subscribe('a', ({ event }) => void got.push(event.source), {
      group: 'g',
    })
    await subscription.ready
    const sources = ['/one', '/two', '/three']
    for (const source of sources) {
      const sent = { type: 'a', id: '1', source }
      expect(await bus.publish(sent)).toMatchObject({ duplicate: false })
      const again = await bus.publish(sent)
      expect(again).toMatchObject({ duplicate: true, sequence: sources.indexOf(source) + 1 })
    }
    await expect.poll(() => got).toEqual(sources)
    await expect(bus.get('1')).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
    await expect(bus.replay({ id: '1' })).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
    for (const source of sources) expect((await bus.get('1', source))?.event.source).toBe(source)
    expect(await bus.get('1', '/four')).toBe(undefined)
    await bus.replay({ id: '1', source: '/two' })
    await expect.poll(() => got).toEqual([...sources, '/two'])
    await bus.publish({ type: 'a', id: '2', source: '/one' })
    expect((await bus.get('2'))?.event.source).toBe('/one')
    await bus.close()
  })

  it('are redriven and purged as dead letters by source', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })
    let fails = true
    const got: string[] = []
    const subscription = bus.subscribe(
      'a',
      ({ event }) => {
        if (fails) throw new Error('no')
        got.push(event.source)
      },
      { group: 'g', retry: { maxAttempts: 1 } },
    )
    await subscription.ready
    const sources = ['/one', '/two', '/three']
    for (const source of sources) await bus.publish({ type: 'a', id: '1', source })
    const left = async () => {
      const { deadLetters, total } = await bus.deadLetters.list()
      expect(total).toBe(deadLetters.length)
      return deadLetters.map(({ event }) => event.source)
    }
    await expect.poll(left).toEqual(sources.toReversed())
    fails = false
    const { deadLetters } = bus
    for (const ask of ['list', 'redrive', 'purge'] as const) {
      await expect(deadLetters[ask]({ id: '1' })).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
    }
    const two = { id: '1', source: '/two' }
    const found = await deadLetters.list(two)
    expect(found.deadLetters.map(({ event }) => event.source)).toEqual(['/two'])
    expect(await deadLetters.redrive({ id: '1', source: '/four' })).toBe(0)
    expect(await deadLetters.redrive(two)).toBe(1)
    await expect.poll(() => got).toEqual(['/two'])
    expect(await left()).toEqual(['/three', '/one'])
    expect(await deadLetters.purge({ id: '1', source: '/three' })).toBe(1)
    expect(await left()).toEqual(['/one'])
    await bus.close()
  })

  it('come in pages that end early when they are large', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })
    const failing = bus.subscribe(
      'a',
      () => {
        throw new Error('no')
      },
      { group: 'g', retry: { maxAttempts: 1 } },
    )
    await failing.ready
    const ids = ['0', '1', '2', '3', '4']
    await bus.publishBatch(ids.map((id) => ({ type: 'a', id, data: 'x'.repeat(1_000) })))
    await expect.poll(async () => (await bus.deadLetters.list()).total).toBe(5)
    const pages = async (
      ask: (cursor?: string) => Promise<{ ids: string[]; cursor?: string | undefined }>,
    ) => {
      const found: string[][] = []
      let cursor: string | undefined
      do {
        const page = await ask(cursor)
        found.push(page.ids)
        cursor = page.cursor
      } while (cursor !== undefined)
      return found.filter((page) => page.length > 0)
    }
    const expected = [['4', '3'], ['2', '1'], ['0']]
    const listed = await pages(async (cursor) => {
      const page = await bus.list({ maxPageBytes: 2_000, cursor })
      return { ids: page.events.map(({ event }) => event.id), cursor: page.cursor }
    })
    expect(listed).toEqual(expected)
    const letters = await pages(async (cursor) => {
      const page = await bus.deadLetters.list({ maxPageBytes: 2_000, cursor })
      return { ids: page.deadLetters.map(({ event }) => event.id), cursor: page.cursor }
    })
    expect(letters.flat()).toEqual(['4', '3', '2', '1', '0'])
    expect(letters.length).toBeGreaterThan(1)
    await bus.close()
  })
})
