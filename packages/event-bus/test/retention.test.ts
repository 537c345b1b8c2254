import { type Clock, EventBus, memoryStore, type RetentionOptions } from '@nexus/event-bus'
import { expect, it } from 'vitest'

/** A clock that stands still until it is told otherwise. */
function handClock() {
  const timers = new Set<{ at: number; callback: () => void }>()
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock: Clock = {
    now: () => now,
    schedule(callback, delayMs) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const advance = (ms: number): void => {
    now += ms
    for (const timer of timers) {
      if (timer.at > now) continue
      timers.delete(timer)
      timer.callback()
    }
  }
  return { clock, advance }
}

async function openBus(retention: RetentionOptions, clock?: Clock): Promise<EventBus> {
  return EventBus.open({ store: memoryStore({ retention }), ...(clock && { clock }) })
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ type: `t${n % 2}`, id: `e${n}` }))

async function kept(bus: EventBus, query = {}): Promise<string[]> {
  const page = await bus.list({ limit: 1000, order: 'asc', ...query })
  expect(page.total).toBe(page.events.length)
  return page.events.map(({ event }) => event.id)
}

it('keeps the newest events when there are too many, and says what it removed', async () => {
  const bus = await openBus({ maxEvents: 5 })
  await bus.publishBatch(numbered(5))
  expect(await kept(bus)).toHaveLength(5)
  await bus.publishBatch(numbered(1208).slice(5))
  await expect.poll(() => kept(bus)).toHaveLength(5)
  expect(await kept(bus)).toEqual(['e1203', 'e1204', 'e1205', 'e1206', 'e1207'])
  expect(await kept(bus, { type: 't0' })).toEqual(['e1204', 'e1206'])
  expect(await bus.get('e7')).toBe(undefined)
  const { removed } = (await bus.getStats()).store
  expect(removed.events).toBe(1203)
  expect(removed.bytes).toBeGreaterThan(1203 * 50)
  // The id of a removed event is free again.
  expect((await bus.publish({ type: 'a', id: 'e7' })).duplicate).toBe(false)
  await bus.close()
})

it('removes what is too old when its time has come, without further publishes', async () => {
  const { clock, advance } = handClock()
  const bus = await openBus({ maxAgeMs: 60_000 }, clock)
  await bus.publish({ type: 'a', id: 'old' })
  advance(30_000)
  await bus.publish({ type: 'a', id: 'young' })
  advance(29_999)
  expect(await kept(bus)).toEqual(['old', 'young'])
  advance(1)
  await expect.poll(() => kept(bus)).toEqual(['young'])
  await bus.close()
})
