import assert from 'node:assert/strict'
import { systemClock } from '../clock.js'
import { EventBusError } from '../errors.js'
import type { EventStore, GroupConsumer, Settlement } from '../store/event-store.js'
import {
  type ConformanceCase,
  type ConformanceHarness,
  collect,
  eventually,
  rejectsWith,
  statusOf,
  withBus,
  withStorage,
} from './harness.js'

const once = { maxAttempts: 1 }

/** A case on a store without a bus, with one consumer of the group `g`. */
function withConsumer(
  name: string,
  body: (open: () => Promise<GroupConsumer>, store: EventStore) => Promise<void>,
): ConformanceCase {
  return {
    name,
    run: async (harness: ConformanceHarness) => {
      const storage = await harness.createStorage()
      const store = storage.openStore()
      const ignore = (): void => {}
      try {
        await store.open({
          clock: systemClock,
          onConnected: ignore,
          onDisconnected: ignore,
          onEmptied: ignore,
          onRepaired: ignore,
          onError: ignore,
        })
        const request = { name: 'g', patterns: ['a'], ordered: false, ackWaitMs: 30_000 }
        const open = () => store.openGroup({ ...request, start: 'beginning' })
        const event = {
          specversion: '1.0' as const,
          id: 'x',
          source: '/s',
          type: 'a',
          time: '2026-01-01T00:00:00Z',
        }
        await store.append([{ event, json: JSON.stringify(event) }], undefined)
        await body(open, store)
      } finally {
        await store.close()
        await storage.dispose()
      }
    },
  }
}

const failed = (kind: 'retry' | 'dead-letter'): Settlement =>
  kind === 'retry'
    ? { kind, delayMs: 0, hold: false, durationMs: 1, error: { message: 'no' } }
    : { kind, durationMs: 1, error: { message: 'no' } }

const never = (): AbortSignal => new AbortController().signal

/** A store whose consumers settle as the test says. */
function settling(store: EventStore, before: (settlement: Settlement) => void): void {
  const openGroup = store.openGroup.bind(store)
  store.openGroup = async (request) => {
    const consumer = await openGroup(request)
    const settle = consumer.settle.bind(consumer)
    consumer.settle = async (claim, settlement) => {
      before(settlement)
      return settle(claim, settlement)
    }
    return consumer
  }
}

function withSettling(
  name: string,
  before: () => (settlement: Settlement) => void,
  body: Parameters<typeof withBus>[1],
): ConformanceCase {
  return {
    name,
    run: (harness) =>
      withStorage(
        withChangedStore(harness, (store) => settling(store, before())),
        async (openBus) => body(await openBus()),
      ),
  }
}

/** The harness with stores that the case has changed. */
function withChangedStore(
  harness: ConformanceHarness,
  change: (store: EventStore) => void,
): ConformanceHarness {
  return {
    ...harness,
    createStorage: async () => {
      const storage = await harness.createStorage()
      const openStore = storage.openStore.bind(storage)
      return Object.assign(Object.create(storage), {
        openStore: (options: object) => {
          const store = openStore(options)
          change(store)
          return store
        },
      })
    },
  }
}

/** Promises that a change of one line could break unseen. */
export const promiseCases: readonly ConformanceCase[] = [
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

  withConsumer('attempts count handlers that were started, not claims', async (open) => {
    const first = await open()
    const [unstarted] = await first.fetch(1, never())
    assert.equal(unstarted?.attempt, 1)
    await first.close()
    const second = await open()
    const [claim] = await second.fetch(1, never())
    assert.equal(claim?.attempt, 1)
    assert.deepEqual(await second.begin([claim!]), [claim])
    await second.settle(claim!, failed('retry'))
    const [again] = await second.fetch(1, never())
    assert.equal(again?.attempt, 2)
    await second.close()
  }),

  ...(['retry', 'dead-letter'] as const).map((kind) =>
    withConsumer(`a claim that was lost cannot be settled: ${kind}`, async (open, store) => {
      const first = await open()
      const [lost] = await first.fetch(1, never())
      await first.close()
      const second = await open()
      const [claim] = await second.fetch(1, never())
      await rejectsWith('CLAIM_LOST', first.settle(lost!, failed(kind)))
      assert.deepEqual(await first.begin([lost!]), [])
      await second.begin([claim!])
      await second.settle(claim!, { kind: 'ack', emit: [], durationMs: 1 })
      const [delivery] = (await store.get('x'))!.deliveries
      assert.equal(delivery?.status, 'succeeded')
      assert.equal((await store.listDeadLetters({})).total, 0)
      await second.close()
    }),
  ),

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

  withSettling(
    'a settlement that failed is sent again, and the handler does not run again',
    () => {
      let failures = 2
      return ({ kind }) => {
        if (kind === 'ack' && failures-- > 0) throw new EventBusError('STORE_UNAVAILABLE', 'away')
      }
    },
    async (bus) => {
      const { inbox } = await collect(bus, 'a', { group: 'g' })
      await bus.publish({ type: 'a', id: 'x' })
      await eventually('success', async () => (await bus.getStats()).delivered === 1)
      assert.equal(await statusOf(bus, 'x', 'g'), 'succeeded')
      assert.deepEqual(inbox.ids, ['x'])
    },
  ),

  withSettling(
    'a settlement that the store refuses becomes a dead letter with the reason, and its key goes on',
    () =>
      ({ kind }) => {
        if (kind === 'ack') throw new EventBusError('SETTLEMENT_REFUSED', 'too large for this')
      },
    async (bus) => {
      const { inbox } = await collect(bus, 'a', { group: 'g', orderingKey: 'subject' })
      await bus.publishBatch(['1', '2'].map((id) => ({ type: 'a', id, subject: 'k' })))
      await inbox.waitFor(2)
      await eventually('the end', async () => (await bus.deadLetters.list()).total === 2)
      const [letter] = (await bus.deadLetters.list()).deadLetters
      assert.equal(letter?.error.code, 'SETTLEMENT_REFUSED')
      assert.match(letter!.error.message, /too large for this/)
    },
  ),

  withBus('redrives and replays that come together are one delivery', async (bus) => {
    const options = { group: 'g', retry: once }
    const { subscription } = await collect(bus, 'a', options, () => {
      throw new Error('no')
    })
    await bus.publish({ type: 'a', id: 'x' })
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    await subscription.close()
    await Promise.all([
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
    ])
    await bus.replay({ id: 'x' })
    assert.equal((await bus.deadLetters.list()).total, 0)
    const { inbox } = await collect(bus, 'a', options)
    await bus.publish({ type: 'a', id: 'last' })
    await inbox.waitFor(2)
    await eventually('success', async () => (await bus.getStats()).delivered === 2)
    assert.deepEqual(inbox.ids.toSorted(), ['last', 'x'])
  }),

  withBus('a group that is made again has no retries of the one before', async (bus) => {
    const retry = { baseDelayMs: 50, maxDelayMs: 50, jitter: 0 }
    const { inbox, subscription } = await collect(bus, 'a', { group: 'g', retry }, () => {
      throw new Error('no')
    })
    await bus.publish({ type: 'a', id: 'old' })
    await inbox.waitFor(1)
    await eventually('the retry', async () => (await statusOf(bus, 'old', 'g')) === 'retrying')
    await subscription.close()
    await bus.removeGroup('g')
    const again = await collect(bus, 'a', { group: 'g' })
    await bus.publish({ type: 'a', id: 'new' }, { delayMs: 200 })
    await again.inbox.waitFor(1)
    assert.deepEqual(again.inbox.ids, ['new'])
  }),

  ...(['an offline group', 'a delayed event', 'a replayed event'] as const).map(
    (what): ConformanceCase => ({
      name: `retention leaves what is pending: ${what}`,
      run: (harness) =>
        withStorage(harness, async (openBus) => {
          const bus = await openBus({}, { retention: { maxEvents: 1 } })
          const { subscription } = await collect(bus, 'a', { group: 'g' })
          if (what === 'an offline group') await subscription.close()
          const delay = what === 'a delayed event' ? { delayMs: 1_500 } : {}
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
    name: 'a record that is too long is cut, and says so',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({ maxRecordBytes: 2_000 })
        await collect(bus, 'a', { group: 'g' }, () => ({
          record: { result: 'ü'.repeat(3_000), logs: ['one'], durationMs: 5 },
        }))
        await bus.publish({ type: 'a', id: 'x' })
        await eventually('success', async () => (await bus.getStats()).delivered === 1)
        const { record } = (await bus.get('x'))!.deliveries[0]!
        assert.ok(Buffer.byteLength(JSON.stringify(record)) <= 2_000)
        const { truncated, logs, result } = record as Record<string, unknown>
        assert.deepEqual([truncated, logs], [['result'], ['one']])
        assert.match(result as string, /^ü{900,}$/)
      }),
  },

  withBus(
    'a subscription can be closed in its own handler, and its event is settled',
    async (bus) => {
      let closed = false
      const { subscription } = await collect(bus, 'a', { group: 'g' }, async () => {
        await subscription.close()
        closed = true
      })
      await bus.publish({ type: 'a', id: 'x' })
      await eventually(
        'success',
        async () => (await statusOf(bus, 'x', 'g')) === 'succeeded',
        5_000,
      )
      assert.equal(closed, true)
    },
  ),

  withBus('a page ends once it has so many bytes, with its cursor', async (bus) => {
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
    await collect(bus, 'a', { group: 'g', retry: once }, ({ event }) => {
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
