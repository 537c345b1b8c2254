import {
  type Claim,
  EventBus,
  type EventStore,
  type GroupConsumer,
  type Settlement,
} from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis, untilTestEnds } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const signal = new AbortController().signal
const clock = { now: Date.now, monotonic: () => performance.now(), schedule: () => () => {} }

describe.skipIf(!hasRedis())('claims of a group on Redis', () => {
  let server: ServerProcess
  let prefixes = 0

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'no'])
  })
  afterAll(() => server.stop())

  /** Two processes, each with a consumer of one group, and a bus to publish and to look. */
  async function begin(ordered: boolean, ackWaitMs: number) {
    const options = { url: `redis://${server.address}`, prefix: `claims-${prefixes++}` }
    const bus = await EventBus.open({ store: redisStore(options) })
    const stores: EventStore[] = []
    const consumers: GroupConsumer[] = []
    for (let n = 0; n < 2; n++) {
      const store = redisStore(options)
      await store.open({
        clock,
        onConnected() {},
        onDisconnected() {},
        onEmptied() {},
        onRepaired() {},
        onError() {},
      })
      stores.push(store)
      consumers.push(
        await store.openGroup({ name: 'g', patterns: ['a'], start: 'now', ordered, ackWaitMs }),
      )
    }
    const end = () => Promise.all([bus.close(), ...stores.map((store) => store.close())])
    return { bus, one: consumers[0]!, two: consumers[1]!, end }
  }

  const ack = (record: string): Settlement => ({ kind: 'ack', emit: [], durationMs: 1, record })
  const failure = { durationMs: 1, error: { message: 'late' } }
  const state = async (bus: EventBus) => (await bus.get('x'))?.deliveries[0]

  for (const [what, settlement] of [
    ['acked', ack('stale')],
    ['retried', { kind: 'retry', delayMs: 0, inPlace: false, ...failure }],
    ['retried in place', { kind: 'retry', delayMs: 0, inPlace: true, ...failure }],
    ['given up', { kind: 'dead-letter', ...failure }],
    ['given back', { kind: 'release' }],
  ] as [string, Settlement][]) {
    it(`cannot be ${what} once another process has them`, async () => {
      const { bus, one, two, end } = await begin(false, 300)
      await bus.publish({ type: 'a', id: 'x' })
      const [lost] = await one.fetch(1, signal)
      const [claim] = await two.fetch(1, signal)
      await expect(one.settle(lost!, settlement)).rejects.toMatchObject({ code: 'CLAIM_LOST' })
      expect(await one.begin([lost!])).toEqual([])
      expect(await state(bus)).toMatchObject({ status: 'running' })
      await two.settle(claim!, ack('new'))
      await one.settle(lost!, settlement).catch(() => {})
      expect(await state(bus)).toMatchObject({ status: 'succeeded', record: 'new' })
      expect((await bus.deadLetters.list()).total).toBe(0)
      expect((await bus.getStats()).store.groups[0]).toMatchObject({ behind: 0, scheduled: 0 })
      await end()
    })
  }

  it('are settled with a shorter record where the server does not take all of it', async () => {
    const strict = await untilTestEnds(
      startRedis(['--appendonly', 'no', '--proto-max-bulk-len', '1048576']),
    )
    const store = redisStore({ url: `redis://${strict.address}` })
    const bus = await EventBus.open({ store, maxEventBytes: 4_000_000 })
    const subscription = bus.subscribe(
      'a',
      ({ event }) => ({ record: 'x'.repeat(event.id === 'large' ? 2_000_000 : 10) }),
      { group: 'g', concurrency: 4 },
    )
    await subscription.ready
    await bus.publishBatch(['1', 'large', '2'].map((id) => ({ type: 'a', id })))
    const states = () =>
      Promise.all(['1', 'large', '2'].map(async (id) => (await bus.get(id))?.deliveries[0]))
    await expect
      .poll(async () => (await states()).map((delivery) => delivery?.status), { timeout: 10_000 })
      .toEqual(['succeeded', 'succeeded', 'succeeded'])
    const cut = (await states())[1]?.record as { value: string; truncated: string[] }
    expect(cut.truncated).toEqual(['value'])
    expect(cut.value).toMatch(/^x{900000,1000000}$/)
    await expect(bus.publish({ type: 'a', data: 'x'.repeat(2_000_000) })).rejects.toMatchObject({
      code: 'EVENT_TOO_LARGE',
    })
    await bus.close()
  }, 60_000)

  it('count as attempts only when their handler starts', async () => {
    const { bus, one, two, end } = await begin(false, 300)
    await bus.publish({ type: 'a', id: 'x' })
    const attempts: number[] = []
    for (const [consumer, starts] of [
      [one, false],
      [two, false],
      [one, true],
      [two, true],
      [one, false],
    ] as const) {
      const [claim] = await consumer.fetch(1, signal)
      attempts.push(claim!.attempt)
      if (starts) expect(await consumer.begin([claim!])).toEqual([claim])
    }
    expect(attempts).toEqual([1, 1, 1, 2, 3])
    await end()
  })

  it('of one consumer differ from its claims of the same event before', async () => {
    const { bus, one, end } = await begin(false, 300)
    await bus.publish({ type: 'a', id: 'x' })
    const [lost] = await one.fetch(1, signal)
    await one.settle(lost!, { kind: 'retry', delayMs: 0, inPlace: false, ...failure })
    const [claim] = await one.fetch(1, signal)
    await one.settle(lost!, ack('stale')).catch(() => {})
    await one.settle(claim!, ack('new'))
    expect(await state(bus)).toMatchObject({ record: 'new' })
    await end()
  })

  it('of an ordered group go to the next owner in order when the owner leaves', async () => {
    const { bus, one, two, end } = await begin(true, 30_000)
    await bus.publishBatch(['1', '2', '3', '4'].map((id) => ({ type: 'a', id, subject: 'k' })))
    const claims = await one.fetch(3, signal)
    expect(claims).toHaveLength(3)
    const next = two.fetch(10, signal)
    await one.close()
    expect((await next).map(({ event }) => event.id)).toEqual(['1', '2', '3', '4'])
    await end()
  })

  it('that are extended stay with their process, the others lapse', async () => {
    const { bus, one, two, end } = await begin(false, 1_000)
    await bus.publishBatch(['1', '2'].map((id) => ({ type: 'a', id })))
    const claims = await one.fetch(2, signal)
    const timer = setInterval(() => one.extend([claims[0]!]), 100)
    const taken: Claim[] = []
    await expect
      .poll(
        async () => {
          taken.push(...(await two.fetch(10, AbortSignal.timeout(500))))
          return taken.map(({ event }) => event.id)
        },
        { timeout: 10_000 },
      )
      .toEqual(['2'])
    expect(await two.fetch(10, AbortSignal.timeout(1_500))).toEqual([])
    clearInterval(timer)
    await end()
  })

  it('of an event that is replayed and redriven at once are one', async () => {
    const { bus, one, end } = await begin(false, 30_000)
    await bus.publish({ type: 'a', id: 'x' })
    const [first] = await one.fetch(1, signal)
    await one.settle(first!, { kind: 'dead-letter', ...failure })
    await Promise.all([
      bus.replay({ id: 'x' }),
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
      bus.deadLetters.redrive(),
    ])
    const claims = await one.fetch(10, signal)
    expect(claims).toHaveLength(1)
    expect((await bus.deadLetters.list()).total).toBe(0)
    // A replay of what is handled at the moment is handled after it, and its record stays.
    await bus.replay({ id: 'x' })
    await one.settle(claims[0]!, ack('older'))
    expect(await state(bus)).toMatchObject({ status: 'pending' })
    const [again] = await one.fetch(10, signal)
    await one.settle(again!, ack('newer'))
    expect(await state(bus)).toMatchObject({ status: 'succeeded', record: 'newer' })
    await end()
  })
})
