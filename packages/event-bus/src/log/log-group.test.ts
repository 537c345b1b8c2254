import { expect, it, onTestFinished, vi } from 'vitest'
import type { Clock } from '../clock.js'
import { EventBus } from '../event-bus.js'
import { MemoryEngine } from '../memory/memory-engine.js'
import type { EventHandler } from '../subscription.js'
import type { Write } from './log-engine.js'
import { LogStore } from './log-store.js'

/** Commits wait while the gate is shut. */
class GatedEngine extends MemoryEngine {
  #gate = Promise.resolve()
  waiting = 0
  open = (): void => {}

  shut(): void {
    this.#gate = new Promise((resolve) => {
      this.open = resolve
    })
  }

  override async commit(writes: readonly Write[]): Promise<void> {
    this.waiting += 1
    await this.#gate
    await super.commit(writes)
    this.waiting -= 1
  }
}

/** Stands still until it is turned. */
class HandClock implements Clock {
  #now = 1_000_000
  #timers: { atMs: number; fire(): void }[] = []

  now = (): number => this.#now

  schedule(fire: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#now + delayMs, fire }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  turn(ms: number): void {
    this.#now += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#now)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { fire } of due) fire()
  }
}

async function openBus(handler: EventHandler) {
  const engine = new GatedEngine()
  const clock = new HandClock()
  const store = new LogStore({
    openEngine: async () => engine,
    durability: 'memory',
    durable: false,
    retention: {},
  })
  const bus = await EventBus.open({ store, clock })
  onTestFinished(() => bus.close())
  const attempts: string[] = []
  const subscription = bus.subscribe(
    '>',
    (delivery) => {
      attempts.push(`${delivery.event.id} ${delivery.attempt}`)
      return handler(delivery)
    },
    { group: 'g', concurrency: 8, retry: { baseDelayMs: 100, maxDelayMs: 100, jitter: 0 } },
  )
  await subscription.ready
  const had = (...expected: string[]) =>
    vi.waitFor(() => expect(attempts.toSorted()).toEqual(expected.toSorted()))
  const stored = async (failed: number, delivered: number) =>
    vi.waitFor(async () => expect(await bus.getStats()).toMatchObject({ failed, delivered }))
  return { bus, engine, clock, had, stored }
}

const failFirst: EventHandler = ({ event, attempt }) => {
  if (event.id.startsWith('shaky') && attempt === 1) throw new Error('not yet')
}

it('delivers a replay though the group passed its time before it was committed', async () => {
  const { bus, engine, clock, had, stored } = await openBus(failFirst)
  await bus.publishBatch([
    { type: 'a', id: 'calm' },
    { type: 'a', id: 'shaky' },
  ])
  await had('calm 1', 'shaky 1')
  await stored(1, 1)
  clock.turn(50)
  engine.shut()
  const replayed = bus.replay({ id: 'calm' })
  await vi.waitFor(() => expect(engine.waiting).toBe(1))
  clock.turn(100)
  await had('calm 1', 'shaky 1', 'shaky 2')
  engine.open()
  await replayed
  clock.turn(0)
  await had('calm 1', 'calm 1', 'shaky 1', 'shaky 2')
  await stored(1, 3)
})

it('delivers a retry though the group passed its time before it was committed, and nothing twice', async () => {
  let fail = (): void => {}
  const late = new Promise<never>((_, reject) => {
    fail = () => reject(new Error('not yet'))
  })
  const { bus, engine, clock, had, stored } = await openBus((delivery) =>
    delivery.event.id === 'late' && delivery.attempt === 1 ? late : failFirst(delivery),
  )
  await bus.publishBatch(['late', 'shaky', 'shaky2'].map((id) => ({ type: 'a', id })))
  await had('late 1', 'shaky 1', 'shaky2 1')
  await stored(2, 0)
  engine.shut()
  // Due at the same moment as the retries of the others, which are committed.
  fail()
  await vi.waitFor(() => expect(engine.waiting).toBe(1))
  clock.turn(100)
  await had('late 1', 'shaky 1', 'shaky 2', 'shaky2 1', 'shaky2 2')
  engine.open()
  await stored(3, 2)
  clock.turn(0)
  await had('late 1', 'late 2', 'shaky 1', 'shaky 2', 'shaky2 1', 'shaky2 2')
  await stored(3, 3)
})
