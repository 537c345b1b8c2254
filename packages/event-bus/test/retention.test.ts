import { type Clock, EventBus, memoryStore, type RetentionOptions } from '@nexus/event-bus'
import { HandClock } from '@nexus/test-kit'
import { expect, it } from 'vitest'

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
  const clock = new HandClock()
  const bus = await openBus({ maxAgeMs: 60_000 }, clock)
  await bus.publish({ type: 'a', id: 'old' })
  clock.advance(30_000)
  await bus.publish({ type: 'a', id: 'young' })
  clock.advance(29_999)
  expect(await kept(bus)).toEqual(['old', 'young'])
  clock.advance(1)
  await expect.poll(() => kept(bus)).toEqual(['young'])
  await bus.close()
})
