import assert from 'node:assert/strict'
import type { DeliveryContext } from '../../consume/handler/handler-runner.js'
import { type ConformanceCase, collect, eventually, statusOf, withBus } from '../harness/harness.js'

const events = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    type: n % 2 === 0 ? 'x' : 'y',
    id: `${n}`,
    subject: 'k',
  }))

/** Old and new processes of one group overlap while something is deployed: their patterns differ. */
export const overlapCases: readonly ConformanceCase[] = [
  ...(['old first', 'new first'] as const).map((order) =>
    withBus(`events go only to the consumer that asks for them, ${order}`, async (bus) => {
      const openOld = () => collect(bus, 'x', { group: 'g', concurrency: 1 })
      const openNew = () => collect(bus, ['x', 'y'], { group: 'g', concurrency: 1 })
      const [first, second] =
        order === 'old first'
          ? [await openOld(), await openNew()]
          : [await openNew(), await openOld()]
      const [older, newer] = order === 'old first' ? [first, second] : [second, first]
      await bus.publishBatch(events(60))
      await eventually('all to be handled', async () => (await bus.getStats()).delivered === 60)
      assert.deepEqual(
        [...new Set(older.inbox.events.map(({ type }) => type))].join(),
        older.inbox.events.length === 0 ? '' : 'x',
      )
      assert.equal(newer.inbox.events.filter(({ type }) => type === 'y').length, 30)
      assert.equal(older.inbox.ids.length + newer.inbox.ids.length, 60)
    }),
  ),

  withBus('what only the newest consumer asked for waits for it', async (bus) => {
    const older = await collect(bus, 'x', { group: 'g' })
    const newer = await collect(bus, ['x', 'y'], { group: 'g' })
    await newer.subscription.close()
    await bus.publishBatch(events(20))
    await older.inbox.waitFor(10)
    assert.deepEqual(new Set(older.inbox.events.map(({ type }) => type)), new Set(['x']))
    const again = await collect(bus, ['x', 'y'], { group: 'g' })
    await again.inbox.waitFor(10)
    await eventually('success', async () => (await statusOf(bus, '19', 'g')) === 'succeeded')
    assert.deepEqual(new Set(again.inbox.events.map(({ type }) => type)), new Set(['y']))
  }),

  withBus('what no consumer asks for any more leaves the group', async (bus) => {
    const first = await collect(bus, ['x', 'y'], { group: 'g' })
    await first.subscription.close()
    await bus.publish({ type: 'y', id: 'unwanted' })
    const second = await collect(bus, 'x', { group: 'g' })
    await bus.publish({ type: 'x', id: 'wanted' })
    await second.inbox.waitFor(1)
    assert.deepEqual(second.inbox.ids, ['wanted'])
    await eventually('no delivery', async () => (await statusOf(bus, 'unwanted', 'g')) === 'none')
  }),

  ...(
    [
      ['x', ['x', 'y']],
      [['x', 'y'], 'x'],
      ['x', 'y'],
    ] as const
  ).map(([one, other]) =>
    withBus(
      `an ordered group keeps the order of a key, one consumer for ${[one].flat().join(' and ')}, one for ${[other].flat().join(' and ')}`,
      async (bus) => {
        const options = { group: 'g', orderingKey: 'subject' }
        const handled: string[] = []
        const overtaking: string[] = []
        let running = 0
        const note = async ({ event }: DeliveryContext): Promise<void> => {
          running += 1
          if (running > 1) overtaking.push(event.id)
          // Long enough for the other consumer to begin, if nothing kept it from that.
          await new Promise((resolve) => setTimeout(resolve, 5))
          running -= 1
          handled.push(event.id)
        }
        await collect(bus, [one].flat(), options, note)
        await collect(bus, [other].flat(), options, note)
        await bus.publishBatch(events(20))
        await eventually('all to be handled', async () => handled.length === 20)
        assert.deepEqual(
          handled,
          events(20).map(({ id }) => id),
        )
        assert.deepEqual(overtaking, [])
      },
    ),
  ),

  withBus(
    'an ordered group gives a delayed event to the consumer that asks for it',
    async (bus) => {
      const options = { group: 'g', orderingKey: 'subject' }
      await collect(bus, 'x', options)
      const newer = await collect(bus, ['x', 'y'], options)
      await bus.publish({ type: 'y', id: 'late' }, { delayMs: 200 })
      await newer.inbox.waitFor(1)
      assert.deepEqual(newer.inbox.ids, ['late'])
    },
  ),

  withBus('the next owner of an ordered group goes on in order', async (bus) => {
    const options = { group: 'g', orderingKey: 'subject', concurrency: 1 }
    const ids = Array.from({ length: 30 }, (_, n) => `${n}`)
    const first = await collect(bus, 'x', options)
    const second = await collect(bus, 'x', options)
    first.subscription.pause()
    await bus.publishBatch(ids.map((id) => ({ type: 'x', id, subject: 'k' })))
    first.subscription.resume()
    await eventually('a start', async () => first.inbox.ids.length + second.inbox.ids.length > 2)
    await first.subscription.close()
    await eventually('all to be handled', async () => (await bus.getStats()).delivered === 30)
    assert.deepEqual([...first.inbox.ids, ...second.inbox.ids], ids)
  }),
]
