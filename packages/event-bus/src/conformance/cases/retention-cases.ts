import assert from 'node:assert/strict'
import type { EventBus } from '../../event-bus.js'
import type { RetentionOptions } from '../../retention/retention-options.js'
import type { ListQuery } from '../../store/queries.js'
import { type ConformanceCase, collect, eventually, withStorage } from '../harness/harness.js'

function withRetention(
  name: string,
  retention: RetentionOptions,
  body: (bus: EventBus) => Promise<void>,
): ConformanceCase {
  return {
    name,
    run: (harness) =>
      withStorage(harness, async (openBus) => body(await openBus({}, { retention }))),
  }
}

const numbered = (count: number, data?: string) =>
  Array.from({ length: count }, (_, n) => ({
    type: `t${n % 2}`,
    id: `e${n}`,
    ...(data !== undefined && { data }),
  }))

async function kept(bus: EventBus, query: ListQuery = {}): Promise<string> {
  const page = await bus.list({ limit: 500, order: 'asc', ...query })
  return page.events.map(({ event }) => event.id).join()
}

export const retentionCases: readonly ConformanceCase[] = [
  withRetention('nothing is removed without limits', {}, async (bus) => {
    await bus.publishBatch(numbered(300))
    assert.equal((await bus.list()).total, 300)
    assert.deepEqual((await bus.getStats()).store.removed, { events: 0, bytes: 0 })
  }),

  withRetention(
    'the newest events are kept when there are too many, and what was removed is said',
    { maxEvents: 5 },
    async (bus) => {
      await bus.publishBatch(numbered(5))
      assert.equal(await kept(bus), 'e0,e1,e2,e3,e4')
      await bus.publishBatch(numbered(300).slice(5))
      await eventually('the removal', async () => (await bus.list()).total === 5)
      assert.equal(await kept(bus), 'e295,e296,e297,e298,e299')
      assert.equal(await kept(bus, { type: 't0' }), 'e296,e298')
      assert.equal((await bus.list({ type: 't0' })).total, 2)
      assert.equal(await bus.get('e7'), undefined)
      await eventually('the report', async () => {
        return (await bus.getStats()).store.removed.events === 295
      })
      const { events, removed } = (await bus.getStats()).store
      assert.equal(events, 5)
      assert.ok(removed.bytes > 295 * 50)
      // An id is free again with its event, at the latest when the store's window has passed.
      await eventually('the id to be free', async () => {
        return !(await bus.publish({ type: 'a', id: 'e7' })).duplicate
      })
    },
  ),

  withRetention(
    'the newest events are kept up to `maxBytes`',
    { maxBytes: 20_000 },
    async (bus) => {
      await bus.publishBatch(numbered(200, 'x'.repeat(500)))
      await eventually('the removal', async () => {
        const { store } = await bus.getStats()
        return store.removed.events > 0 && store.bytes <= 20_000
      })
      const ids = (await kept(bus)).split(',')
      assert.equal(ids.at(-1), 'e199')
      assert.ok(ids.length > 10)
    },
  ),

  withRetention(
    'what is too old is removed without further publishes',
    { maxAgeMs: 500 },
    async (bus) => {
      await bus.publish({ type: 'a', id: 'old' })
      await eventually('the removal', async () => (await bus.list()).total === 0)
      assert.equal(await bus.get('old'), undefined)
      await eventually('the report', async () => (await bus.getStats()).store.removed.events === 1)
    },
  ),

  withRetention('what a group has not finished with is kept', { maxEvents: 1 }, async (bus) => {
    let fail = true
    const retry = { maxAttempts: 1_000, baseDelayMs: 1, maxDelayMs: 20 }
    await collect(bus, 'a', { group: 'g', retry }, () => {
      if (fail) throw new Error('down')
    })
    await bus.publishBatch(['1', '2', '3'].map((id) => ({ type: 'a', id })))
    await eventually('many attempts', async () => (await bus.getStats()).failed > 75)
    assert.equal(await kept(bus), '1,2,3')
    fail = false
    await eventually('success', async () => (await bus.getStats()).delivered === 3)
    await bus.publish({ type: 'b', id: '4' })
    await eventually('the removal', async () => (await kept(bus)) === '4')
    assert.equal((await bus.list()).total, 1)
  }),

  withRetention(
    'a dead letter stays until it is purged, with its event',
    { maxEvents: 1 },
    async (bus) => {
      await collect(bus, 'a', { group: 'g', retry: { maxAttempts: 1 } }, () => {
        throw new Error('no')
      })
      await bus.publish({ type: 'a', id: 'dead' })
      await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
      await bus.publishBatch(['1', '2', '3'].map((id) => ({ type: 'b', id })))
      await eventually('the removal', async () => (await bus.getStats()).store.removed.events === 2)
      assert.equal((await bus.deadLetters.list()).deadLetters[0]?.event.id, 'dead')
      assert.equal(await kept(bus), 'dead,3')
      assert.equal(await bus.deadLetters.purge(), 1)
      await bus.publish({ type: 'b', id: 'next' })
      await eventually('the next event alone', async () => (await kept(bus)) === 'next')
    },
  ),

  ...(['an offline group', 'a delayed event', 'a replayed event'] as const).map(
    (what): ConformanceCase => ({
      name: `retention leaves what is pending: ${what}`,
      run: (harness) =>
        withStorage(harness, async (openBus) => {
          const bus = await openBus({}, { retention: { maxEvents: 1 } })
          const { subscription } = await collect(bus, 'a', { group: 'g' })
          if (what === 'an offline group') await subscription.close()
          const delay = what === 'a delayed event' ? { delayMs: 4_000 } : {}
          await bus.publish({ type: 'a', id: 'pending' }, delay)
          if (what === 'a replayed event') {
            await eventually('success', async () => (await bus.getStats()).delivered === 1)
            subscription.pause()
            await bus.replay({ id: 'pending' })
          }
          await bus.publishBatch(Array.from({ length: 20 }, () => ({ type: 'b' })))
          if (what === 'an offline group') await bus.publish({ type: 'b' })
          else {
            await eventually('a removal', async () => {
              return (await bus.getStats()).store.removed.events > 0
            })
          }
          assert.equal((await bus.get('pending'))?.event.id, 'pending')
          subscription.resume()
          const { inbox } = await collect(bus, 'a', { group: 'g' })
          // Once it is delivered, it may go.
          const wanted = what === 'a replayed event' ? 2 : 1
          await eventually('the delivery', async () => {
            return (await bus.getStats()).delivered === wanted
          })
          if (what === 'an offline group') assert.deepEqual(inbox.ids, ['pending'])
        }),
    }),
  ),

  withRetention(
    'what is published while old events are removed is removed in its turn',
    { maxEvents: 1 },
    async (bus) => {
      for (let round = 0; round < 10; round++) {
        const published: Promise<unknown>[] = []
        for (let n = 0; n < 20; n++) {
          published.push(bus.publish({ type: 'a', id: `${round}-${n}` }))
          await new Promise((resolve) => setImmediate(resolve))
        }
        await Promise.all(published)
        await eventually('one event to be left', async () => (await bus.list()).total === 1)
      }
      assert.equal(await kept(bus), '9-19')
    },
  ),
]
