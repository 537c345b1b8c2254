import { HandClock } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { MemoryEngine } from '../../memory/memory-engine.js'
import type { Claim, GroupConsumer } from '../../store/event-store.js'
import type { Write } from '../log-engine.js'
import { LogStore } from '../log-store.js'

/** An engine whose commits take as long as the test says. */
class SlowEngine extends MemoryEngine {
  readonly #visibleAtOnce: boolean
  #end: Promise<void> | undefined
  #begun = () => {}

  constructor(visibleAtOnce: boolean) {
    super()
    this.#visibleAtOnce = visibleAtOnce
  }

  /** Holds the next commit up; `begun` resolves when it is under way. */
  hold(): { begun: Promise<void>; release: () => void } {
    let release = () => {}
    this.#end = new Promise((resolve) => {
      release = resolve
    })
    const begun = new Promise<void>((resolve) => {
      this.#begun = resolve
    })
    return { begun, release }
  }

  override async commit(writes: readonly Write[]): Promise<void> {
    this.#begun()
    if (this.#visibleAtOnce) await super.commit(writes)
    await this.#end
    if (!this.#visibleAtOnce) await super.commit(writes)
  }
}

/** Two claimed events, the second of which failed and is due again in 100 ms. */
async function claimTwo(visibleAtOnce = false) {
  const clock = new HandClock()
  const engine = new SlowEngine(visibleAtOnce)
  const store = new LogStore({
    openEngine: async () => engine,
    durability: 'memory',
    durable: false,
    retention: {},
  })
  await store.open({
    clock,
    onConnected() {},
    onDisconnected() {},
    onEmptied() {},
    onRepaired() {},
    onError() {},
  })
  const request = { name: 'g', patterns: ['a'], ordered: false, ackWaitMs: 30_000 }
  const consumer = await store.openGroup({ ...request, start: 'beginning' })
  const encode = (id: string) => {
    const event = { specversion: '1.0' as const, id, source: '/test', type: 'a', time: '' }
    return { event, json: JSON.stringify(event) }
  }
  await store.append([encode('one'), encode('two')], 'memory')
  const [one, two] = await consumer.fetch(2, AbortSignal.timeout(20_000))
  await retry(consumer, two!, 100)
  return { clock, engine, store, consumer, one: one! }
}

function retry(consumer: GroupConsumer, claim: Claim, delayMs: number): Promise<unknown> {
  const error = { message: 'down' }
  return consumer.settle(claim, { kind: 'retry', delayMs, inPlace: false, durationMs: 1, error })
}

const next = async (consumer: GroupConsumer): Promise<string[]> =>
  (await consumer.fetch(10, AbortSignal.timeout(20_000))).map(({ event }) => event.id)

it('makes the next attempt where its time was over before the one that failed was stored', async () => {
  const { clock, engine, consumer, one } = await claimTwo()
  const { begun, release } = engine.hold()
  const stored = retry(consumer, one, 10)
  await begun
  clock.advance(200)
  expect(await next(consumer)).toEqual(['two'])
  release()
  await stored
  expect(await next(consumer)).toEqual(['one'])
})

it('makes the next attempt where another that is due at the same time was taken before it was stored', async () => {
  const { clock, engine, consumer, one } = await claimTwo()
  const { begun, release } = engine.hold()
  const stored = retry(consumer, one, 100)
  await begun
  clock.advance(100)
  expect(await next(consumer)).toEqual(['two'])
  release()
  await stored
  expect(await next(consumer)).toEqual(['one'])
})

it('replays an event where others came due while the replay was stored', async () => {
  const { clock, engine, store, consumer, one } = await claimTwo()
  await consumer.settle(one, { kind: 'ack', emit: [], durationMs: 1 })
  const { begun, release } = engine.hold()
  const replayed = store.replay({ id: 'one' })
  await begun
  clock.advance(200)
  expect(await next(consumer)).toEqual(['two'])
  release()
  await replayed
  expect(await next(consumer)).toEqual(['one'])
})

it('hands out once what was seen before its commit was heard of', async () => {
  const { clock, engine, consumer, one } = await claimTwo(true)
  const { begun, release } = engine.hold()
  const stored = retry(consumer, one, 10)
  await begun
  clock.advance(200)
  expect(await next(consumer)).toEqual(['one', 'two'])
  release()
  await stored
  clock.advance(1_000)
  expect(await consumer.fetch(10, AbortSignal.abort())).toEqual([])
  const nothing = new AbortController()
  const claims = consumer.fetch(10, nothing.signal)
  clock.advance(1_000)
  nothing.abort()
  expect(await claims).toEqual([])
})

it('makes the next attempt in time after the clock was set back', async () => {
  const { clock, consumer, one } = await claimTwo()
  clock.advance(200)
  expect(await next(consumer)).toEqual(['two'])
  clock.advance(-3_600_000)
  await retry(consumer, one, 10)
  const fetched = next(consumer)
  clock.advance(10)
  expect(await fetched).toEqual(['one'])
})

it('hands out once what is moved as the clock was set back, whatever the clock does until that is stored', async () => {
  const { clock, engine, consumer, one } = await claimTwo()
  await consumer.settle(one, { kind: 'ack', emit: [], durationMs: 1 })
  const stop = new AbortController()
  const handedOut: string[] = []
  const fetched: Promise<unknown>[] = []
  const fetch = () => {
    const claims = consumer.fetch(10, stop.signal)
    fetched.push(claims.then((taken) => handedOut.push(...taken.map(({ event }) => event.id))))
  }
  const { begun, release } = engine.hold()
  clock.step(-3_600_000)
  fetch()
  await begun
  clock.step(-3_600_000)
  fetch()
  clock.step(36_000_000)
  fetch()
  await new Promise(setImmediate)
  release()
  await new Promise(setImmediate)
  clock.advance(0)
  await expect.poll(() => handedOut).toEqual(['two'])
  for (const step of [-72_000_000, 144_000_000]) {
    clock.step(step)
    clock.advance(20_000)
    fetch()
    await new Promise(setImmediate)
  }
  stop.abort()
  await Promise.all(fetched)
  expect(handedOut).toEqual(['two'])
})
