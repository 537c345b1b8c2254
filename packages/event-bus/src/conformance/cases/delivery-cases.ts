import assert from 'node:assert/strict'
import type { DeliveryContext } from '../../consume/handler/handler-runner.js'
import {
  type ConformanceCase,
  collect,
  eventually,
  rejectsWith,
  statusOf,
  withBus,
  withStorage,
} from '../harness/harness.js'

const retry = { baseDelayMs: 10, maxDelayMs: 20 }

export const deliveryCases: readonly ConformanceCase[] = [
  withBus('every group gets every matching event once, and nothing else', async (bus) => {
    const orders = await collect(bus, 'shop.order.*', { group: 'orders' })
    const all = await collect(bus, ['shop.>', 'shop.order.paid'], { group: 'all' })
    await bus.publishBatch([
      { type: 'shop.order.paid', id: '1' },
      { type: 'shop.cart', id: '2' },
      { type: 'shop.order.sent', id: '3' },
      { type: 'shop.order.sent.late', id: '4' },
      { type: 'shop', id: '5' },
    ])
    await orders.inbox.waitFor(2)
    await all.inbox.waitFor(4)
    await eventually('all to be settled', async () => {
      const stats = await bus.getStats()
      return stats.delivered === 6
    })
    assert.deepEqual(orders.inbox.ids.toSorted(), ['1', '3'])
    assert.deepEqual(all.inbox.ids.toSorted(), ['1', '2', '3', '4'])
  }),

  withBus('consumers of one group share its events', async (bus) => {
    const one = await collect(bus, 'a', { group: 'g', concurrency: 1 })
    const two = await collect(bus, 'a', { group: 'g', concurrency: 1 })
    await bus.publishBatch(Array.from({ length: 100 }, (_, n) => ({ type: 'a', id: `e${n}` })))
    await eventually('all to be settled', async () => (await bus.getStats()).delivered === 100)
    const ids = new Set([...one.inbox.ids, ...two.inbox.ids])
    assert.equal(ids.size, 100)
    assert.equal(one.inbox.ids.length + two.inbox.ids.length, 100)
  }),

  withBus('a group sees events from where it starts', async (bus) => {
    await bus.publishBatch(['1', '2', '3'].map((id) => ({ type: 'a', id })))
    await bus.publish({ type: 'b', id: '1', source: '/other' })
    const source = { id: '1', source: '/other' }
    const other = await collect(bus, ['a', 'b'], { group: 'other', start: source })
    const beginning = await collect(bus, 'a', { group: 'beginning', start: 'beginning' })
    const now = await collect(bus, 'a', { group: 'now' })
    const from = await collect(bus, 'a', { group: 'from', start: { id: '2' } })
    await eventually('the clock to move on', async () => {
      const { events } = await bus.list({ limit: 1 })
      return Date.now() > Date.parse(events[0]!.publishedAt) + 1
    })
    const later = await collect(bus, 'a', { group: 'later', start: { time: new Date() } })
    await bus.publish({ type: 'a', id: '4' })
    await beginning.inbox.waitFor(4)
    await from.inbox.waitFor(3)
    await now.inbox.waitFor(1)
    await later.inbox.waitFor(1)
    await other.inbox.waitFor(2)
    assert.deepEqual(other.inbox.ids.toSorted(), ['1', '4'])
    assert.deepEqual(beginning.inbox.ids.toSorted(), ['1', '2', '3', '4'])
    assert.deepEqual(from.inbox.ids.toSorted(), ['2', '3', '4'])
    assert.deepEqual(now.inbox.ids, ['4'])
    assert.deepEqual(later.inbox.ids, ['4'])
  }),

  withBus('a failed attempt is retried until it succeeds', async (bus) => {
    const { inbox } = await collect(bus, 'a', { group: 'g', retry }, ({ attempt }) => {
      if (attempt < 3) throw Object.assign(new Error(`no ${attempt}`), { record: { n: attempt } })
      return { record: { done: true } }
    })
    await bus.publish({ type: 'a', id: 'x' })
    await inbox.waitFor(3)
    await eventually('success', async () => (await statusOf(bus, 'x', 'g')) === 'succeeded')
    assert.deepEqual(
      inbox.deliveries.map(({ attempt }) => attempt),
      [1, 2, 3],
    )
    const [delivery] = (await bus.get('x'))!.deliveries
    assert.equal(delivery?.attempts, 3)
    assert.deepEqual(delivery?.record, { done: true })
    assert.ok(delivery!.durationMs! >= 0)
    const stats = await bus.getStats()
    assert.equal(stats.failed, 2)
    assert.equal(stats.delivered, 1)
  }),

  withBus('while an event waits for its retry, that can be seen', async (bus) => {
    const { inbox } = await collect(
      bus,
      'a',
      { group: 'g', retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 } },
      () => {
        throw Object.assign(new Error('down'), { code: 'E_DOWN', record: ['log'] })
      },
    )
    await bus.publish({ type: 'a', id: 'x' })
    await inbox.waitFor(1)
    await eventually('the retry', async () => (await statusOf(bus, 'x', 'g')) === 'retrying')
    const [delivery] = (await bus.get('x'))!.deliveries
    assert.equal(delivery?.error?.message, 'down')
    assert.equal(delivery?.error?.code, 'E_DOWN')
    assert.deepEqual(delivery?.record, ['log'])
    assert.equal(delivery?.attempts, 1)
    assert.ok(Date.parse(delivery!.nextAttemptAt!) > Date.now() + 20_000)
  }),

  withBus('what runs and what waits can be seen', async (bus) => {
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { inbox } = await collect(bus, 'a', { group: 'g', concurrency: 1 }, () => finished)
    await bus.publishBatch([
      { type: 'a', id: 'first' },
      { type: 'a', id: 'second' },
    ])
    await inbox.waitFor(1)
    assert.equal(await statusOf(bus, 'first', 'g'), 'running')
    assert.equal(await statusOf(bus, 'second', 'g'), 'pending')
    finish()
    await eventually('success', async () => (await statusOf(bus, 'second', 'g')) === 'succeeded')
  }),

  withBus('events of one key are handled in order, one at a time, past retries', async (bus) => {
    const running = new Map<string, number>()
    const done: string[] = []
    const { inbox } = await collect(
      bus,
      'a',
      { group: 'g', concurrency: 8, orderingKey: 'data.key', retry },
      async ({ event, attempt }) => {
        const { key, n } = event.data as { key: string; n: number }
        running.set(key, (running.get(key) ?? 0) + 1)
        assert.equal(running.get(key), 1)
        await new Promise((resolve) => setImmediate(resolve))
        running.set(key, 0)
        if (n % 7 === 3 && attempt === 1) throw new Error('once')
        done.push(`${key}${n}`)
      },
    )
    const events = Array.from({ length: 60 }, (_, i) => ({
      type: 'a',
      data: { key: 'abc'[i % 3]!, n: Math.floor(i / 3) },
    }))
    await bus.publishBatch(events)
    await eventually('all to be handled', async () => done.length === 60)
    for (const key of 'abc') {
      const own = done.filter((name) => name.startsWith(key)).map((name) => Number(name.slice(1)))
      assert.deepEqual(
        own,
        Array.from({ length: 20 }, (_, n) => n),
      )
    }
    assert.ok(inbox.deliveries.length > 60)
  }),

  withBus(
    'emitted events are stored with the ack, and once however often a handler runs',
    async (bus) => {
      const emitted = await collect(bus, 'made', { group: 'sink' })
      await collect(bus, 'a', { group: 'g', retry }, ({ attempt }) => {
        const emit = [
          { type: 'made', data: 1 },
          { type: 'made', data: 2 },
        ]
        if (attempt === 1) throw new Error('after it had decided what to emit')
        return { emit }
      })
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      await bus.publish({ type: 'a', id: 'x', traceparent })
      await emitted.inbox.waitFor(2)
      await eventually('success', async () => (await statusOf(bus, 'x', 'g')) === 'succeeded')
      assert.equal((await bus.list({ type: 'made' })).total, 2)
      assert.deepEqual(emitted.inbox.events.map(({ data }) => data).toSorted(), [1, 2])
      assert.equal(emitted.inbox.events[0]!.traceparent, traceparent)
      assert.equal((await bus.getStats()).emitted, 2)
    },
  ),

  withBus(
    'a handler that emits a wrong event fails for good, and its record is kept',
    async (bus) => {
      const { inbox } = await collect(bus, 'a', { group: 'g' }, () => ({
        emit: [{ type: 'fine' }, { type: 'not*fine' }],
        record: { logs: ['before'] },
      }))
      await bus.publish({ type: 'a', id: 'x' })
      await inbox.waitFor(1)
      await eventually('the end', async () => (await statusOf(bus, 'x', 'g')) === 'dead-lettered')
      const stored = await bus.get('x')
      const { attempts, error, record } = stored!.deliveries[0]!
      assert.match(error?.message ?? '', /^the emitted event number 2: type: /)
      assert.deepEqual([attempts, record], [1, { logs: ['before'] }])
      assert.equal((await bus.list({ type: 'fine' })).total, 0)
    },
  ),

  withBus('a delayed event is not delivered before its time', async (bus) => {
    let deliveredAfterMs = 0
    const asked = Date.now()
    const { inbox } = await collect(bus, 'a', { group: 'g' }, () => {
      deliveredAfterMs = Date.now() - asked
    })
    const { id } = await bus.publish({ type: 'a' }, { delayMs: 1_500 })
    await inbox.waitFor(1)
    // Server and process read the same clock, each in whole milliseconds.
    assert.ok(deliveredAfterMs >= 1_499)
    await eventually('success', async () => (await statusOf(bus, id, 'g')) === 'succeeded')
  }),

  withBus('a paused subscription gets nothing until it is resumed', async (bus) => {
    const { inbox, subscription } = await collect(bus, 'a', { group: 'g' })
    subscription.pause()
    await bus.publishBatch([{ type: 'a' }, { type: 'a' }])
    const witness = await collect(bus, 'a', { group: 'witness', start: 'beginning' })
    await witness.inbox.waitFor(2)
    assert.equal(inbox.deliveries.length, 0)
    subscription.resume()
    await inbox.waitFor(2)
  }),

  withBus('no more handlers run at once than the subscription allows', async (bus) => {
    let running = 0
    let most = 0
    const { subscription } = await collect(bus, 'a', { group: 'g', concurrency: 2 }, async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running -= 1
    })
    await bus.publishBatch(Array.from({ length: 30 }, () => ({ type: 'a' })))
    await eventually('all to be handled', async () => subscription.getStats().succeeded === 30)
    assert.ok(most <= 2, `${most} handlers ran at once`)
  }),

  withBus('a rate limit spreads the events', async (bus) => {
    const { inbox } = await collect(bus, 'a', { group: 'g', maxPerSecond: 20 })
    const started = Date.now()
    await bus.publishBatch(Array.from({ length: 30 }, () => ({ type: 'a' })))
    await inbox.waitFor(30)
    // 20 at once, then 10 more at 20 per second.
    assert.ok(Date.now() - started >= 450)
  }),

  withBus('a handler changes its own copy of an event only', async (bus) => {
    const handler = ({ event, attempt }: DeliveryContext): void => {
      const data = event.data as { n: number }
      assert.equal(data.n, 1)
      data.n += 1
      if (attempt === 1) throw new Error('again')
    }
    await collect(bus, 'a', { group: 'any', retry }, handler)
    // The key is part of what the handler changes: the events behind must come all the same.
    await collect(bus, 'a', { group: 'ordered', orderingKey: 'data.n', retry }, handler)
    await bus.publishBatch(['x', 'y'].map((id) => ({ type: 'a', id, data: { n: 1 } })))
    for (const group of ['any', 'ordered']) {
      await eventually('success', async () => (await statusOf(bus, 'y', group)) === 'succeeded')
    }
    assert.equal((await bus.getStats()).delivered, 4)
    assert.deepEqual((await bus.get('x'))?.event.data, { n: 1 })
  }),

  withBus('a replay delivers stored events again, and counts as such', async (bus) => {
    const a = await collect(bus, 'a.*', { group: 'a' }, () => ({ emit: [{ type: 'made' }] }))
    const b = await collect(bus, 'a.x', { group: 'b' })
    await bus.publishBatch([
      { type: 'a.x', id: '1' },
      { type: 'a.y', id: '2' },
    ])
    await a.inbox.waitFor(2)
    await b.inbox.waitFor(1)
    await eventually('success', async () => (await bus.getStats()).delivered === 3)
    assert.deepEqual(await bus.replay({ id: '1' }), { events: 1, deliveries: 2 })
    await a.inbox.waitFor(3)
    await b.inbox.waitFor(2)
    assert.equal(a.inbox.deliveries[2]!.replay, 1)
    assert.deepEqual(await bus.replay({ type: 'a.>', groups: ['a'] }), { events: 2, deliveries: 2 })
    await a.inbox.waitFor(5)
    await eventually('success', async () => (await bus.getStats()).delivered === 7)
    const delivery = (await bus.get('1'))!.deliveries.find(({ group }) => group === 'a')!
    assert.equal(delivery.replays, 2)
    assert.equal(delivery.status, 'succeeded')
    assert.equal((await bus.list({ type: 'made' })).total, 5)
    assert.equal((await bus.getStats()).replayed, 3)
    await rejectsWith('NOT_FOUND', bus.replay({ id: 'unknown' }))
    await rejectsWith('NOT_FOUND', bus.replay({ id: '1', groups: ['unknown'] }))
  }),

  ...[1, 4].map((concurrency) =>
    withBus(
      `an event that is replayed while it is handled is handled again, ${concurrency} at a time`,
      async (bus) => {
        let finish = (): void => {}
        const first = new Promise<void>((resolve) => {
          finish = resolve
        })
        const { inbox } = await collect(bus, 'a', { group: 'g', concurrency }, ({ replay }) =>
          replay === 0 ? first : undefined,
        )
        await bus.publish({ type: 'a', id: 'x' })
        await inbox.waitFor(1)
        assert.deepEqual(await bus.replay({ id: 'x' }), { events: 1, deliveries: 1 })
        // Where there is room for both, the replay may come first.
        if (concurrency > 1) await inbox.waitFor(2)
        finish()
        await inbox.waitFor(2)
        await eventually('success', async () => (await bus.getStats()).delivered === 2)
        assert.deepEqual(
          inbox.deliveries.map(({ replay, attempt }) => [replay, attempt]),
          [
            [0, 1],
            [1, 1],
          ],
        )
        assert.equal(await statusOf(bus, 'x', 'g'), 'succeeded')
      },
    ),
  ),

  {
    name: 'a slow store makes publishers wait or be refused, not grow without end',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({ maxPendingEvents: 100 })
        const results = await Promise.allSettled(
          Array.from({ length: 500 }, () => bus.publish({ type: 'a' })),
        )
        const stored = results.filter(({ status }) => status === 'fulfilled').length
        assert.equal(stored, 100)
        for (const result of results) {
          if (result.status === 'rejected') assert.equal(result.reason.code, 'BACKPRESSURE')
        }
        await bus.drained()
        await bus.publish({ type: 'a' })
        assert.equal((await bus.list()).total, 101)
      }),
  },
]
