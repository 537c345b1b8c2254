import assert from 'node:assert/strict'
import {
  type ConformanceCase,
  collect,
  eventually,
  rejectsWith,
  statusOf,
  withBus,
  withStorage,
} from '../harness/harness.js'
import { never, withConsumer } from '../harness/with-consumer.js'

/** What a group keeps beside its deliveries, and deliveries that are suspended. */
export const stateCases: readonly ConformanceCase[] = [
  withBus(
    'a settlement stores what the group keeps, and what it emits, together; the delivery counts as suspended',
    async (bus) => {
      await collect(bus, 'a', { group: 'g' }, () => ({
        suspended: true,
        emit: [{ type: 'b', data: 1 }],
        state: [{ key: 'call.1', value: { image: 'x'.repeat(20_000) } }],
        record: { waits: true },
      }))
      const outcome = await bus.publish({ type: 'a', id: 'x' }, { wait: { timeoutMs: 20_000 } })
      assert.equal(outcome.settled, true)
      const [delivery] = outcome.deliveries
      assert.equal(delivery?.status, 'suspended')
      assert.deepEqual(delivery?.record, { waits: true })
      assert.equal(delivery?.error, undefined)
      assert.deepEqual(await bus.states.get('g', 'call.1'), { image: 'x'.repeat(20_000) })
      assert.equal((await bus.list({ type: 'b' })).events.length, 1)
      assert.equal((await bus.list({ status: 'suspended' })).events.length, 1)
      const { groups } = (await bus.getStats()).store
      assert.deepEqual(
        groups.map(({ running, scheduled, deadLettered, behind }) => [
          running,
          scheduled,
          deadLettered,
          behind > 1,
        ]),
        [[0, 0, 0, false]],
      )
    },
  ),

  withBus('a settlement replaces and removes what the group kept', async (bus) => {
    const values = [{ n: 1 }, { n: 2 }, undefined]
    const { inbox } = await collect(bus, 'a', { group: 'g', concurrency: 1 }, ({ event }) => {
      const value = values[Number(event.data)]
      return {
        state: [
          { key: 'call.1', ...(value && { value }) },
          { key: 'other.1', value: 7 },
        ],
      }
    })
    for (const [n, value] of values.entries()) {
      await bus.publish({ type: 'a', id: `x${n}`, data: n })
      await inbox.waitFor(n + 1)
      await eventually('success', async () => (await statusOf(bus, `x${n}`, 'g')) === 'succeeded')
      assert.deepEqual(await bus.states.get('g', 'call.1'), value)
      assert.equal(await bus.states.count('g', 'call'), value === undefined ? 0 : 1)
      assert.equal(await bus.states.get('g', 'other.1'), 7)
    }
  }),

  withBus(
    'an event that a handler schedules is stored once, and delivered at its time',
    async (bus) => {
      const later = await collect(bus, 'b', { group: 'later' })
      const dueAtMs = Date.now() + 700
      let attempts = 0
      await collect(bus, 'a', { group: 'g', retry: { baseDelayMs: 1 } }, () => {
        attempts += 1
        if (attempts === 1) throw new Error('no')
        const event = { type: 'b', id: 'wake', source: '/wakes' }
        return { emit: [{ type: 'b', data: 'now' }], schedule: [{ event, deliverAtMs: dueAtMs }] }
      })
      await bus.publish({ type: 'a', id: 'x' })
      await later.inbox.waitFor(2)
      const [now, wake] = later.inbox.deliveries
      assert.equal(now?.event.data, 'now')
      assert.equal(wake?.event.id, 'wake')
      assert.ok(Date.now() >= dueAtMs - 50, 'the event came before its time')
      assert.equal((await bus.publish({ type: 'b', id: 'wake', source: '/wakes' })).duplicate, true)
    },
  ),

  withBus(
    'what a settlement stores is there once its delivery has ended, for the event that it scheduled',
    async (bus) => {
      const seen: unknown[] = []
      await collect(bus, 'wake', { group: 'g' }, async ({ event }) => {
        // Where the event is stored before the settlement, it may come before that has ended.
        await eventually('the end of the delivery', async () => {
          return (await statusOf(bus, 'x', 'starts')) === 'suspended'
        })
        seen.push(await bus.states.get('starts', String(event.data)))
        return {}
      })
      await collect(bus, 'a', { group: 'starts' }, () => ({
        suspended: true,
        state: [{ key: 'call.1', value: 7 }],
        schedule: [{ event: { type: 'wake', id: 'w', source: '/wakes', data: 'call.1' } }],
      }))
      await bus.publish({ type: 'a', id: 'x' })
      await eventually('the wake-up', async () => seen.length === 1)
      assert.deepEqual(seen, [7])
    },
  ),

  withBus('an event that a group was handed is listed from then on', async (bus) => {
    const listed: string[][] = []
    await collect(bus, 'a.*', { group: 'g', concurrency: 1 }, async ({ event, publishedAt }) => {
      const page = await bus.list({
        type: event.type,
        since: publishedAt,
        order: 'asc',
        limit: 100,
      })
      listed.push(page.events.map(({ event: { id } }) => id))
      return {}
    })
    const ids = ['1', '2', '3', '4', '5']
    for (const id of ids) await bus.publish({ type: 'a.b', id })
    await eventually('all of them', async () => listed.length === ids.length)
    for (const [n, found] of listed.entries()) assert.ok(found.includes(ids[n]!), ids[n])
  }),

  withBus(
    'a failed attempt changes nothing, and a dead letter what its error says',
    async (bus) => {
      const failure = (stateWhenDead?: unknown, retryable = true) =>
        Object.assign(new Error('no'), { stateWhenDead, retryable })
      await bus.states.put('g', { key: 'call.1', value: 1 })
      let attempts = 0
      await collect(
        bus,
        'a',
        { group: 'g', retry: { baseDelayMs: 1, maxAttempts: 9 } },
        async () => {
          attempts += 1
          if (attempts < 3) throw failure([{ key: 'call.1', value: 9 }])
          assert.equal(await bus.states.get('g', 'call.1'), 1)
          throw failure([{ key: 'call.1' }], false)
        },
      )
      await bus.publish({ type: 'a', id: 'x' })
      await eventually('the end', async () => (await statusOf(bus, 'x', 'g')) === 'dead-lettered')
      assert.equal(attempts, 3)
      assert.equal(await bus.states.get('g', 'call.1'), undefined)
    },
  ),

  withBus('what groups keep is listed by kind and key, page by page', async (bus) => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => `call.${name}`)
    for (const key of keys.toReversed()) await bus.states.put('g', { key, value: { key } })
    await bus.states.put('g', { key: 'calls.f', value: 0 })
    await bus.states.put('other', { key: 'call.z', value: 0 })
    await bus.states.put('g', { key: 'call.removed', value: 0 })
    await bus.states.put('g', { key: 'call.removed' })
    const found: string[] = []
    let after: string | undefined
    do {
      const page = await bus.states.list({ group: 'g', kind: 'call', limit: 2, after })
      for (const { key, value } of page.entries) {
        assert.deepEqual(value, { key })
        found.push(key)
      }
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(found, keys)
    assert.equal(await bus.states.count('g', 'call'), 5)
    assert.equal(await bus.states.count('unknown', 'call'), 0)
    assert.deepEqual(await bus.states.list({ group: 'unknown', kind: 'call' }), { entries: [] })
    await rejectsWith('INVALID_OPTIONS', bus.states.get('g', 'call.x.y'))
    await rejectsWith('INVALID_OPTIONS', bus.states.list({ group: 'g', kind: 'c.' }))
  }),

  withBus('what a group keeps may be larger than one message', async (bus) => {
    const value = { image: 'ü"'.repeat(900_000) }
    await bus.states.put('g', { key: 'image.1', value })
    assert.deepEqual(await bus.states.get('g', 'image.1'), value)
    await bus.states.put('g', { key: 'image.1' })
    assert.equal(await bus.states.get('g', 'image.1'), undefined)
    assert.equal(await bus.states.count('g', 'image'), 0)
  }),

  withConsumer(
    'a claim that was lost changes nothing that the group keeps',
    async (open, store) => {
      const settlement = (value: number) => ({
        kind: 'ack' as const,
        emit: [],
        durationMs: 1,
        state: [{ key: 'call.1', value }],
      })
      const first = await open()
      const [lost] = await first.fetch(1, never())
      await first.begin([lost!])
      await first.close()
      const second = await open()
      const [claim] = await second.fetch(1, never())
      await second.begin([claim!])
      await rejectsWith('CLAIM_LOST', first.settle(lost!, settlement(2)))
      assert.equal(await store.states.get('g', 'call.1'), undefined)
      await second.settle(claim!, settlement(1))
      await rejectsWith('CLAIM_LOST', first.settle(lost!, settlement(2)))
      assert.equal(await store.states.get('g', 'call.1'), 1)
      await second.close()
    },
  ),

  {
    name: 'what a group keeps outlives the store that wrote it, and goes with its group',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        let bus = await openBus()
        const { subscription } = await collect(bus, 'a', { group: 'g' }, () => ({
          state: [{ key: 'call.1', value: 1 }],
        }))
        await bus.publish({ type: 'a', id: 'x' })
        await eventually('success', async () => (await statusOf(bus, 'x', 'g')) === 'succeeded')
        await subscription.close()
        if (harness.persistent) {
          await bus.close()
          bus = await openBus()
        }
        assert.equal(await bus.states.get('g', 'call.1'), 1)
        await bus.removeGroup('g')
        assert.equal(await bus.states.get('g', 'call.1'), undefined)
        assert.equal(await bus.states.count('g', 'call'), 0)
      }),
  },
]
