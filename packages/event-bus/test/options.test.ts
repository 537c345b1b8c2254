import {
  EventBus,
  type EventBusOptions,
  type ListQuery,
  memoryStore,
  type SubscribeOptions,
} from '@nexus/event-bus'
import { expect, it } from 'vitest'

it.each([
  [{ store: memoryStore(), sauce: '/x' }, /sauce/],
  [{ store: memoryStore(), maxPendingEvents: 0 }, /maxPendingEvents/],
  [
    { store: memoryStore(), publisher: { batching: { maxSize: 1.5 } } },
    /publisher\.batching\.maxSize/,
  ],
  [{ store: memoryStore(), publisher: { retry: { attempts: 1 } } }, /publisher\.retry: .*attempts/],
  [{ store: 'memory' }, /store: expected a store/],
])('an option that is wrong or unknown is named: %#', async (options, message) => {
  await expect(EventBus.open(options as unknown as EventBusOptions)).rejects.toThrow(message)
})

it.each([
  [{}, /group/],
  [{ group: 'has space' }, /group: expected 1 to 128 letters/],
  [{ group: 'g', retry: { maxAttempts: 0 } }, /retry\.maxAttempts/],
  [{ group: 'g', fetch: { batchSize: 0 } }, /fetch\.batchSize/],
  [{ group: 'g', concurrencey: 2 }, /concurrencey/],
])('so is one of a subscription: %#', async (options, message) => {
  const bus = await EventBus.open({ store: memoryStore() })
  expect(() => bus.subscribe('a', () => {}, options as SubscribeOptions)).toThrow(message)
  expect(() => bus.subscribe([], () => {}, { group: 'g' })).toThrow(/expected at least one/)
  expect(() => bus.subscribe('a*b', () => {}, { group: 'g' })).toThrow(/a\*b/)
  await bus.close()
})

it.each([
  [{ limit: 0 }, /limit/],
  [{ cursor: 'x' }, /cursor: expected the cursor of an earlier page/],
  [{ since: 'yesterday' }, /since: expected an RFC 3339 time/],
  [{ type: 'a*b' }, /type: .*a\*b/],
  [{ since: '5' }, /since/],
  [{ since: '2026-02-30T00:00:00Z' }, /since/],
  [{ type: 'a'.repeat(6001) }, /type/],
  [{ state: 'failed' }, /state/],
])('so is one of a query: %#', async (query, message) => {
  const bus = await EventBus.open({ store: memoryStore() })
  await expect(bus.list(query as ListQuery)).rejects.toThrow(message)
  await expect(bus.deadLetters.list({ cursor: '{}' })).rejects.toThrow(/cursor/)
  await expect(bus.publish({ type: 'a' }, { deliverAt: 'soon' })).rejects.toThrow(/deliverAt/)
  await bus.close()
})

it('listeners hear of everything that happens here', async () => {
  const bus = await EventBus.open({ store: memoryStore() })
  const heard: string[] = []
  bus.on('published', ({ id }) => heard.push(`published ${id}`))
  bus.on('delivered', ({ event, attempt }) => heard.push(`delivered ${event.id} ${attempt}`))
  bus.on('failed', ({ event, error }) => heard.push(`failed ${event.id} ${error.message}`))
  const done = new Promise((resolve) => bus.on('delivered', resolve))
  const subscription = bus.subscribe(
    'a',
    ({ attempt }) => {
      if (attempt === 1) throw new Error('no')
    },
    { group: 'g', retry: { baseDelayMs: 1 } },
  )
  await subscription.ready
  await bus.publish({ type: 'a', id: 'x' })
  await done
  expect(heard.sort()).toEqual(['delivered x 2', 'failed x no', 'published x'])
  await bus.close()
})

it('events gather when they come in a trickle and may wait', async () => {
  const bus = await EventBus.open({ store: memoryStore() })
  const batches: number[] = []
  let inTurn = 0
  const subscription = bus.subscribe(
    'a',
    () => {
      inTurn += 1
      if (inTurn > 1) return
      setImmediate(() => {
        batches.push(inTurn)
        inTurn = 0
      })
    },
    { group: 'g', fetch: { maxWaitMs: 100 }, concurrency: 50 },
  )
  await subscription.ready
  await bus.publish({ type: 'a' })
  for (let n = 0; n < 9; n++) {
    await bus.publish({ type: 'a' })
    await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise<void>((resolve) => {
    bus.on(
      'delivered',
      () => void bus.getStats().then(({ delivered }) => delivered === 10 && resolve()),
    )
  })
  expect(batches[0]).toBe(1)
  expect(batches.length).toBeLessThan(6)
  await bus.close()
})

it('no request asks for more events than fetch.batchSize, and short handlers are fetched for ahead', async () => {
  const limits: number[] = []
  const store = memoryStore()
  const openGroup = store.openGroup.bind(store)
  store.openGroup = async (request) => {
    const consumer = await openGroup(request)
    const fetch = consumer.fetch.bind(consumer)
    consumer.fetch = (limit, signal) => {
      limits.push(limit)
      return fetch(limit, signal)
    }
    return consumer
  }
  const bus = await EventBus.open({ store })
  await bus.publishBatch(Array.from({ length: 2_000 }, () => ({ type: 'a' })))
  for (const batchSize of [30, 300]) {
    limits.length = 0
    let handled = 0
    let resolve = (): void => {}
    const promise = new Promise<void>((done) => {
      resolve = done
    })
    const subscription = bus.subscribe(
      'a',
      () => {
        handled += 1
        if (handled === 2_000) resolve()
      },
      { group: `g${batchSize}`, start: 'beginning', concurrency: 4, fetch: { batchSize } },
    )
    await promise
    expect(limits[0]).toBe(2)
    expect(Math.max(...limits)).toBeLessThanOrEqual(batchSize)
    expect(Math.max(...limits)).toBeGreaterThanOrEqual(batchSize / 2)
    await subscription.close()
  }
  await bus.close()
})
