import { expect, it } from 'vitest'
import type { Clock } from '../clock.js'
import { EventBusError, type EventBusErrorCode } from '../errors.js'
import { encodeEvent } from '../event/cloud-event.js'
import type { AppendRequest, EventStore } from '../store/event-store.js'
import type { Durability } from '../store/stored-event.js'
import { Publisher } from './publisher.js'

const batching = { enabled: true, maxSize: 3, maxWaitMs: 50 }
const retry = { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 5000, factor: 2, jitter: 0 }

/** A store whose writes end when the test says so, and a clock whose timers the test fires. */
function setup(options = batching, maxPendingEvents = 100, concurrentAppends = 1) {
  const writes: {
    ids: string[]
    durability: Durability | undefined
    end(): void
    fail(code: EventBusErrorCode): void
  }[] = []
  const timers: { delayMs: number; fire(): void }[] = []
  const store = {
    concurrentAppends,
    append: (requests: readonly AppendRequest[], durability: Durability | undefined) =>
      new Promise((resolve, reject) => {
        const ids = requests.map(({ event }) => event.id)
        const end = (): void =>
          resolve(ids.map((id) => ({ id, duplicate: false, sequence: Number(id) })))
        const fail = (code: EventBusErrorCode): void => reject(new EventBusError(code, 'no'))
        writes.push({ ids, durability, end, fail })
      }),
  } as unknown as EventStore
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    schedule(fire, delayMs) {
      const timer = { delayMs, fire }
      timers.push(timer)
      return () => timers.splice(timers.indexOf(timer), 1)
    },
  }
  const publisher = new Publisher(store, { batching: options, retry }, maxPendingEvents, clock)
  const publish = (id: number, durability?: Durability) => {
    const defaults = { source: '/', now: 0, maxEventBytes: 1000 }
    return publisher.publish([encodeEvent({ type: 'a', id: String(id) }, defaults)], durability)
  }
  return { publisher, publish, writes, timers }
}

const ids = (writes: { ids: string[] }[]): string =>
  writes.map((write) => write.ids.join()).join(' ')

it('writes a lone publish at once', async () => {
  const { publish, writes, timers } = setup()
  const result = publish(1)
  await expect.poll(() => writes).toHaveLength(1)
  expect(timers).toHaveLength(0)
  writes[0]!.end()
  expect(await result).toEqual([{ id: '1', duplicate: false, sequence: 1 }])
})

it('lets what comes during a write share the next one', async () => {
  const { publish, writes } = setup()
  void publish(1)
  await expect.poll(() => ids(writes)).toBe('1')
  void publish(2)
  void publish(3)
  expect(ids(writes)).toBe('1')
  writes[0]!.end()
  await expect.poll(() => ids(writes)).toBe('1 2,3')
})

it.each([
  [2, '32 32'],
  [3, '22 22 20'],
  [8, '16 16 16 16'],
  [Number.POSITIVE_INFINITY, '64'],
])('shares out what comes at once over %d writes', async (concurrentAppends, sizes) => {
  const { publish, writes } = setup({ ...batching, maxSize: 1000 }, 100, concurrentAppends)
  for (let id = 0; id < 64; id++) void publish(id)
  await expect.poll(() => writes.map((write) => write.ids.length).join(' ')).toBe(sizes)
})

it('does not wait longer for a slow write than it was told', async () => {
  const { publish, writes, timers } = setup()
  void publish(1)
  await expect.poll(() => writes).toHaveLength(1)
  void publish(2)
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([50])
  timers[0]!.fire()
  expect(ids(writes)).toBe('1 2')
})

it('starts a write beside a slow one when a batch is full, and never makes it larger', async () => {
  const { publish, writes } = setup()
  void publish(1)
  await expect.poll(() => writes).toHaveLength(1)
  for (const id of [2, 3, 4, 5]) void publish(id)
  await expect.poll(() => ids(writes)).toBe('1 2,3,4 5')
})

it('keeps levels of durability apart, and the order', async () => {
  const { publish, writes } = setup()
  void publish(1, 'os')
  void publish(2, 'disk')
  void publish(3, 'disk')
  await expect.poll(() => ids(writes)).toBe('1 2,3')
  expect(writes.map(({ durability }) => durability)).toEqual(['os', 'disk'])
})

it('writes each publish by itself when batching is off', async () => {
  const { publish, writes } = setup({ ...batching, enabled: false })
  void publish(1)
  void publish(2)
  await expect.poll(() => ids(writes)).toBe('1 2')
})

it('refuses the first publish above the limit when the store is slow', async () => {
  const { publisher, publish, writes } = setup(batching, 2)
  const first = publish(1)
  const second = publish(2)
  await expect(publish(3)).rejects.toMatchObject({ code: 'BACKPRESSURE' })
  let drained = false
  void publisher.drained().then(() => {
    drained = true
  })
  await expect.poll(() => writes).toHaveLength(1)
  expect(drained).toBe(false)
  writes[0]!.end()
  await Promise.all([first, second])
  await expect.poll(() => drained).toBe(true)
})

it('makes a write that failed again, with the same ids, and reports its result', async () => {
  const { publisher, publish, writes, timers } = setup()
  const result = publish(1)
  for (const [failures, delayMs] of [100, 200].entries()) {
    await expect.poll(() => writes).toHaveLength(failures + 1)
    writes[failures]!.fail('STORE_UNAVAILABLE')
    await expect.poll(() => timers.map((timer) => timer.delayMs)).toEqual([delayMs])
    timers[0]!.fire()
  }
  await expect.poll(() => ids(writes)).toBe('1 1 1')
  writes[2]!.end()
  expect(await result).toEqual([{ id: '1', duplicate: false, sequence: 1 }])
  expect(publisher.retries).toBe(2)
})

it('gives up after its last attempt, and at once on what another attempt does not cure', async () => {
  const { publisher, publish, writes, timers } = setup()
  const result = expect(publish(1)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  for (let n = 0; n < 3; n++) {
    await expect.poll(() => writes).toHaveLength(n + 1)
    writes[n]!.fail('STORE_FAILED')
    if (n === 2) break
    await expect.poll(() => timers).toHaveLength(1)
    timers[0]!.fire()
  }
  await result
  const refused = expect(publish(2)).rejects.toMatchObject({ code: 'READ_ONLY' })
  await expect.poll(() => writes).toHaveLength(4)
  writes[3]!.fail('READ_ONLY')
  await refused
  expect([timers.length, publisher.pending]).toEqual([0, 0])
})

it('does not wait for a retry when the bus closes', async () => {
  const { publisher, publish, writes, timers } = setup()
  const result = publish(1)
  await expect.poll(() => writes).toHaveLength(1)
  writes[0]!.fail('STORE_UNAVAILABLE')
  await expect.poll(() => timers).toHaveLength(1)
  const settled = publisher.settled()
  await expect.poll(() => ids(writes)).toBe('1 1')
  writes[1]!.end()
  await Promise.all([result, settled])
})

it('stores the parts of a large publish one after the other, so a failure leaves its beginning', async () => {
  const { publisher, writes, timers } = setup()
  const defaults = { source: '/', now: 0, maxEventBytes: 1000 }
  const requests = Array.from({ length: 10 }, (_, id) =>
    encodeEvent({ type: 'a', id: `${id}` }, defaults),
  )
  const result = expect(publisher.publish(requests, undefined)).rejects.toMatchObject({
    code: 'READ_ONLY',
    details: { stored: 3 },
  })
  await expect.poll(() => ids(writes)).toBe('0,1,2')
  writes[0]!.end()
  await expect.poll(() => ids(writes)).toBe('0,1,2 3,4,5')
  writes[1]!.fail('READ_ONLY')
  await result
  await publisher.settled()
  expect([writes.length, timers.length, publisher.pending]).toEqual([2, 0, 0])
})
