import assert from 'node:assert/strict'
import { z } from 'zod'
import { type ConformanceCase, collect, rejectsWith, withBus, withStorage } from './harness.js'

export const publishCases: readonly ConformanceCase[] = [
  withBus('an event that was published can be read by its id, as it was given', async (bus) => {
    const { id, duplicate } = await bus.publish({
      type: 'com.example.order.created',
      source: '/shop',
      subject: 'order 7',
      time: '2026-01-31T12:00:00.5Z',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tenant: 'acme',
      data: { total: 12.5, items: ['a', null, { deep: true }], name: 'Zoë 🦊' },
    })
    assert.equal(duplicate, false)
    const found = await bus.get(id)
    assert.deepEqual(found?.event, {
      specversion: '1.0',
      id,
      source: '/shop',
      type: 'com.example.order.created',
      time: '2026-01-31T12:00:00.5Z',
      subject: 'order 7',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tenant: 'acme',
      data: { total: 12.5, items: ['a', null, { deep: true }], name: 'Zoë 🦊' },
    })
    assert.deepEqual(found?.deliveries, [])
  }),

  withBus('an id nobody published is not found', async (bus) => {
    assert.equal(await bus.get('nobody'), undefined)
  }),

  withBus('the same id published twice is stored once, in one batch and in two', async (bus) => {
    const { inbox } = await collect(bus, '>', { group: 'all' })
    const batch = await bus.publishBatch([
      { type: 'a', id: 'one', data: 1 },
      { type: 'a', id: 'one', data: 2 },
      { type: 'a', id: 'two', data: 3 },
    ])
    assert.deepEqual(
      batch.map(({ id, duplicate }) => [id, duplicate]),
      [
        ['one', false],
        ['one', true],
        ['two', false],
      ],
    )
    assert.equal((await bus.publish({ type: 'a', id: 'two', data: 4 })).duplicate, true)
    const racing = await Promise.all(
      Array.from({ length: 20 }, () => bus.publish({ type: 'a', id: 'three' })),
    )
    assert.equal(racing.filter(({ duplicate }) => !duplicate).length, 1)
    await inbox.waitFor(3)
    assert.equal((await bus.list()).total, 3)
    assert.equal((await bus.get('one'))?.event.data, 1)
    assert.deepEqual(inbox.ids.toSorted(), ['one', 'three', 'two'])
  }),

  withBus('a large batch is stored in order', async (bus) => {
    const { inbox } = await collect(bus, 'n', { group: 'all', concurrency: 64 })
    const results = await bus.publishBatch(
      Array.from({ length: 2500 }, (_, n) => ({ type: 'n', id: `n${n}`, data: n })),
    )
    assert.equal(results.length, 2500)
    for (let i = 1; i < results.length; i++) {
      assert.ok(results[i]!.sequence > results[i - 1]!.sequence)
    }
    await inbox.waitFor(2500)
    assert.deepEqual(
      inbox.events.map(({ data }) => data),
      Array.from({ length: 2500 }, (_, n) => n),
    )
  }),

  withBus('a wrong event is refused by name, and nothing of its batch is stored', async (bus) => {
    await rejectsWith('INVALID_EVENT', bus.publish({ type: '' }))
    await rejectsWith('INVALID_EVENT', bus.publish({ type: 'a*b' }))
    await rejectsWith('INVALID_EVENT', bus.publish({ type: 'a', time: 'yesterday' }))
    await rejectsWith('INVALID_EVENT', bus.publish({ type: 'a', Upper: 'case' }))
    await rejectsWith('INVALID_EVENT', bus.publish({ type: 'a', data: { n: 1n } }))
    await rejectsWith('INVALID_EVENT', bus.publishBatch([{ type: 'a' }, { type: 'a>b' }]))
    assert.equal((await bus.list()).total, 0)
    assert.equal((await bus.getStats()).rejected, 7)
  }),

  {
    name: 'an event larger than the limit is refused, one of exactly the limit is not',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({ maxEventBytes: 400 })
        const event = { type: 'a', id: 'x', source: '/s', time: '2026-01-31T12:00:00Z' }
        const empty = JSON.stringify({ specversion: '1.0', ...event, data: '' }).length
        await bus.publish({ ...event, data: 'x'.repeat(400 - empty) })
        await rejectsWith(
          'EVENT_TOO_LARGE',
          bus.publish({ ...event, id: 'y', data: 'x'.repeat(401 - empty) }),
        )
      }),
  },

  {
    name: 'an event against the schema of its type is refused with the path of the error',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({
          schemas: { order: z.object({ lines: z.array(z.object({ quantity: z.int() })) }) },
        })
        await bus.publish({ type: 'order', data: { lines: [{ quantity: 1 }] } })
        await bus.publish({ type: 'other', data: 'anything' })
        await assert.rejects(
          bus.publish({ type: 'order', data: { lines: [{ quantity: 1 }, { quantity: 'two' }] } }),
          /data\.lines\.1\.quantity/,
        )
        assert.equal((await bus.list()).total, 2)
      }),
  },
]
