import assert from 'node:assert/strict'
import type { EventBus } from '../../event-bus.js'
import type { ListQuery } from '../../store/queries.js'
import { type ConformanceCase, collect, eventually, withBus } from '../harness/harness.js'

/** Ids of every page, in the order the pages gave them. */
async function listIds(bus: EventBus, query: ListQuery): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await bus.list(cursor === undefined ? query : { ...query, cursor })
    ids.push(...page.events.map(({ event }) => event.id))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `e${from + i}`)

export const queryCases: readonly ConformanceCase[] = [
  withBus('an empty store lists nothing', async (bus) => {
    assert.deepEqual(await bus.list(), { events: [], total: 0 })
  }),

  withBus('list pages through everything once, newest first or oldest first', async (bus) => {
    await bus.publishBatch(numbered(1, 45).map((id) => ({ type: 'a', id })))
    const first = await bus.list({ limit: 20 })
    assert.equal(first.total, 45)
    assert.deepEqual(
      first.events.map(({ event }) => event.id),
      numbered(26, 45).reverse(),
    )
    assert.deepEqual(await listIds(bus, { limit: 20 }), numbered(1, 45).reverse())
    assert.deepEqual(await listIds(bus, { limit: 15, order: 'asc' }), numbered(1, 45))
  }),

  withBus('list filters by type, by pattern and by source', async (bus) => {
    await bus.publishBatch(
      numbered(1, 40).map((id, n) => ({
        type: n % 4 === 0 ? 'shop.order.paid' : n % 4 === 1 ? 'shop.order.sent' : 'shop.cart',
        source: n % 10 === 0 ? '/rare' : '/common',
        id,
      })),
    )
    for (const id of ['f1', 'f2']) await bus.publish({ type: 'shop.order.paid', id })
    assert.equal((await bus.list({ type: 'shop.order.paid' })).total, 12)
    assert.deepEqual(await listIds(bus, { type: 'shop.order.paid', limit: 5 }), [
      'f2',
      'f1',
      ...numbered(1, 40)
        .filter((_, n) => n % 4 === 0)
        .reverse(),
    ])
    assert.equal((await bus.list({ type: 'shop.order.*' })).total, 22)
    assert.equal((await listIds(bus, { type: 'shop.order.*', limit: 7 })).length, 22)
    assert.equal((await listIds(bus, { type: 'nothing.>' })).length, 0)
    assert.deepEqual(await listIds(bus, { source: '/rare', order: 'asc' }), [
      'e1',
      'e11',
      'e21',
      'e31',
    ])
    assert.deepEqual(await listIds(bus, { source: '/rare', type: 'shop.order.paid' }), [
      'e21',
      'e1',
    ])
  }),

  withBus('list filters by the time of storing', async (bus) => {
    await bus.publishBatch(numbered(1, 5).map((id) => ({ type: 'a', id })))
    const last = (await bus.list({ limit: 1 })).events[0]!.publishedAt
    await eventually('the clock to move on', async () => Date.now() > Date.parse(last) + 1)
    const between = new Date(Date.parse(last) + 1)
    await bus.publishBatch(numbered(6, 9).map((id) => ({ type: 'a', id })))
    assert.deepEqual(await listIds(bus, { since: between, order: 'asc' }), numbered(6, 9))
    assert.deepEqual(await listIds(bus, { until: between, order: 'asc' }), numbered(1, 5))
  }),

  withBus('list filters by the status of deliveries', async (bus) => {
    const { inbox } = await collect(
      bus,
      'a',
      { group: 'g', retry: { maxAttempts: 1 } },
      ({ event }) => {
        if (event.id === 'bad') throw new Error('no')
      },
    )
    await bus.publishBatch([
      { type: 'a', id: 'good' },
      { type: 'a', id: 'bad' },
      { type: 'b', id: 'unwanted' },
    ])
    await inbox.waitFor(2)
    await eventually('both to be settled', async () => {
      const done = await listIds(bus, { status: 'succeeded' })
      const dead = await listIds(bus, { status: 'dead-lettered' })
      return done.join() === 'good' && dead.join() === 'bad'
    })
    assert.deepEqual(await listIds(bus, { status: 'retrying' }), [])
  }),

  withBus('a page ends once it has `maxPageBytes`, with its cursor', async (bus) => {
    const data = 'x'.repeat(1_000)
    await bus.publishBatch(Array.from({ length: 10 }, (_, n) => ({ type: 'a', id: `${n}`, data })))
    const page = await bus.list({ order: 'asc', maxPageBytes: 2_500 })
    assert.deepEqual(
      page.events.map(({ event }) => event.id),
      ['0', '1', '2'],
    )
    const next = await bus.list({ order: 'asc', maxPageBytes: 1, cursor: page.cursor })
    assert.deepEqual(
      next.events.map(({ event }) => event.id),
      ['3'],
    )
  }),

  withBus('an erased event has its envelope, and nothing of its data', async (bus) => {
    await collect(bus, 'a', { group: 'g', retry: { maxAttempts: 1 } }, ({ event }) => {
      throw Object.assign(new Error(`secret ${String(event.data)}`), { record: 'secret' })
    })
    await bus.publish({ type: 'a', id: 'x', subject: 'kept', data: 'secret' })
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    assert.equal(await bus.erase({ id: 'x', reason: 'asked for' }), true)
    const found = await bus.get('x')
    assert.equal(found?.event.subject, 'kept')
    assert.equal(found?.erased?.reason, 'asked for')
    const all = JSON.stringify([found, await bus.deadLetters.list(), await bus.list()])
    assert.ok(!all.includes('secret'), all)
    assert.equal(await bus.erase({ id: 'unknown' }), false)
  }),
]
