import { expect, it } from 'vitest'
import type { Clock } from '../clock.js'
import { encodeEvent } from '../event/cloud-event.js'
import type { AppendRequest, Durability, EventStore } from '../store/event-store.js'
import { Publisher } from './publisher.js'

const batching = { enabled: true, maxSize: 3, maxWaitMs: 50 }

/** A store whose writes end when the test says so, and a clock whose timers the test fires. */
function setup(options = batching, maxPendingEvents = 100, concurrentAppends = 1) {
  const writes: { ids: string[]; durability: Durability | undefined; end(): void }[] = []
  const timers: { delayMs: number; fire(): void }[] = []
  const store = {
    concurrentAppends,
    append: (requests: readonly AppendRequest[], durability: Durability | undefined) =>
      new Promise((resolve) => {
        const ids = requests.map(({ event }) => event.id)
        const end = (): void =>
          resolve(ids.map((id) => ({ id, duplicate: false, sequence: Number(id) })))
        writes.push({ ids, durability, end })
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
  const publisher = new Publisher(store, options, maxPendingEvents, clock)
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

it('refuses what the store is too slow for, exactly beyond the limit', async () => {
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
