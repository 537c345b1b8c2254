import assert from 'node:assert/strict'
import { z } from 'zod'
import { EventBusError } from '../../errors.js'
import { withChangedStore } from '../harness/changed-store.js'
import {
  type ConformanceCase,
  collect,
  eventually,
  rejectsWith,
  withBus,
  withStorage,
} from '../harness/harness.js'

/** A server that knows ids by itself is to forget them after this long in stores with `StoreOptions`. */
const WINDOW_MS = 100

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

  withBus('an id that was not published is not found', async (bus) => {
    assert.equal(await bus.get('unknown'), undefined)
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

  withBus('events are the same when source and id are, not the id alone', async (bus) => {
    const { inbox } = await collect(bus, 'a', { group: 'g' })
    for (const source of ['/one', '/two', '/one']) await bus.publish({ type: 'a', id: '1', source })
    await inbox.waitFor(2)
    assert.deepEqual(inbox.events.map(({ source }) => source).toSorted(), ['/one', '/two'])
    assert.equal((await bus.list()).total, 2)
    await rejectsWith('AMBIGUOUS_ID', bus.get('1'))
    await rejectsWith('AMBIGUOUS_ID', bus.replay({ id: '1' }))
    assert.equal((await bus.get('1', '/two'))?.event.source, '/two')
    assert.equal(await bus.get('1', '/three'), undefined)
    assert.deepEqual(await bus.replay({ id: '1', source: '/one' }), { events: 1, deliveries: 1 })
  }),

  {
    name: 'a write that failed after it had stored its events is made again, and stores them once',
    run: (harness) =>
      withStorage(
        withChangedStore(harness, (store) => {
          const append = store.append.bind(store)
          let failures = 2
          store.append = async (events, durability) => {
            const results = await append(events, durability)
            // A settlement without emitted events may append nothing; that is no write of a publisher.
            if (events.length > 0 && failures-- > 0) {
              throw new EventBusError('STORE_UNAVAILABLE', 'the answer was lost')
            }
            return results
          }
        }),
        async (openBus) => {
          const bus = await openBus({ publisher: { retry: { baseDelayMs: 1 } } })
          const { inbox } = await collect(bus, 'a', { group: 'g' })
          const { id } = await bus.publish({ type: 'a' })
          await bus.publish({ type: 'a', id: 'last' })
          await inbox.waitFor(2)
          assert.deepEqual(inbox.ids.toSorted(), [id, 'last'].toSorted())
          assert.equal((await bus.list()).total, 2)
          assert.equal((await bus.getStats()).publishRetries, 2)
        },
      ),
  },

  withBus('a delay has bounds, and a time is RFC 3339', async (bus) => {
    const year = 365 * 86_400_000
    for (const options of [
      { delayMs: 9e15 },
      { delayMs: 10 * year + 1 },
      { delayMs: -1 },
      { deliverAt: '5' },
      { deliverAt: '2026-02-30T00:00:00Z' },
      { deliverAt: '9999-12-31T23:59:59Z' },
    ]) {
      await rejectsWith('INVALID_OPTIONS', bus.publish({ type: 'a' }, options))
    }
    await bus.publish({ type: 'a', id: 'far' }, { delayMs: 10 * year - 60_000 })
    await bus.publish({ type: 'a', id: 'past' }, { deliverAt: '1970-01-01T00:00:00Z' })
    assert.equal((await bus.list()).total, 2)
  }),

  {
    name: 'a batch that does not fit is refused before anything of it is stored',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({ maxPendingEvents: 2_000 })
        const one = bus.publish({ type: 'a' })
        const batch = Array.from({ length: 2_500 }, () => ({ type: 'b' }))
        await rejectsWith('BACKPRESSURE', bus.publishBatch(batch))
        await one
        assert.equal((await bus.list()).total, 1)
        assert.equal((await bus.publishBatch(batch)).length, 2_500)
      }),
  },

  {
    name: 'an id is a duplicate as long as its event is stored, also after the window of a server',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({}, { retention: { maxEvents: 2 } })
        const { inbox } = await collect(bus, 'a', { group: 'g' })
        const clock = await collect(bus, 'window', { group: 'window' })
        const { sequence } = await bus.publish({ type: 'a', id: 'x' })
        // A delayed event measures the window.
        await bus.publish({ type: 'window', id: 'passed' }, { delayMs: 3 * WINDOW_MS })
        await clock.inbox.waitFor(1)
        const again = await bus.publish({ type: 'a', id: 'x' })
        assert.deepEqual(again, { id: 'x', duplicate: true, sequence })
        const ofOtherType = await bus.publish({ type: 'other', id: 'x' })
        assert.deepEqual(ofOtherType, { id: 'x', duplicate: true, sequence })
        assert.equal((await bus.list()).total, 2)
        await bus.publishBatch(['y', 'z'].map((id) => ({ type: 'a', id })))
        await eventually('the event to be removed', async () => (await bus.get('x')) === undefined)
        await eventually('a new event', async () => {
          return !(await bus.publish({ type: 'a', id: 'x' })).duplicate
        })
        await inbox.waitFor(4)
        assert.deepEqual(inbox.ids.toSorted(), ['x', 'x', 'y', 'z'])
      }),
  },

  withBus('no publish is promised more durability than the store says it has', async (bus) => {
    const { durability } = (await bus.getStats()).store
    const levels = ['memory', 'os', 'disk'] as const
    for (const [strength, level] of levels.entries()) {
      const asked = bus.publish({ type: 'a' }, { durability: level })
      if (strength <= levels.indexOf(durability)) await asked
      else await rejectsWith('INVALID_OPTIONS', asked)
    }
    assert.equal((await bus.list()).total, 1 + levels.indexOf(durability))
  }),
]
