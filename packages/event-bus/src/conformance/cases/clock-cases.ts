import assert from 'node:assert/strict'
import {
  type ConformanceCase,
  collect,
  eventually,
  statusOf,
  withStorage,
} from '../harness/harness.js'
import { SteppingClock } from '../harness/stepping-clock.js'

const HOUR_MS = 3_600_000
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS
const WAIT_MS = 500

/** The wall clock of a process can be set at any moment; what waits goes on. */
export const clockCases: readonly ConformanceCase[] = [
  {
    name: 'a delayed event whose handler runs is not handled again when the wall clock is set back',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const clock = new SteppingClock()
        const bus = await openBus({ clock })
        let finish = (): void => {}
        const finished = new Promise<void>((resolve) => {
          finish = resolve
        })
        const { inbox } = await collect(bus, 'a', { group: 'g' }, () => finished)
        await bus.publish({ type: 'a', id: 'x' }, { delayMs: 1 })
        await inbox.waitFor(1)
        clock.setAhead(-HOUR_MS)
        // What comes due now makes the store look at what waits.
        await bus.publish({ type: 'a', id: 'y' }, { delayMs: WAIT_MS })
        await inbox.waitFor(2)
        finish()
        await eventually('both to be handled', async () => (await bus.getStats()).delivered >= 2)
        assert.deepEqual(inbox.ids, ['x', 'y'])
      }),
  },

  ...[-HOUR_MS, HOUR_MS].map(
    (stepMs): ConformanceCase => ({
      name: `a retry and a delayed event come in time after the wall clock was set ${stepMs < 0 ? 'back' : 'forward'}`,
      run: (harness) =>
        withStorage(harness, async (openBus) => {
          const clock = new SteppingClock()
          const bus = await openBus({ clock })
          const retry = { maxAttempts: 3, baseDelayMs: WAIT_MS, jitter: 0 }
          for (const [group, order] of [
            ['any', {}],
            ['ordered', { orderingKey: 'subject' }],
          ] as const) {
            await collect(bus, 'a', { group, retry, ...order }, ({ attempt }) => {
              if (attempt < 2) throw new Error('not yet')
            })
          }
          await bus.publish({ type: 'a', id: 'retried', subject: 'k' })
          await bus.publish({ type: 'a', id: 'delayed', subject: 'l' }, { delayMs: WAIT_MS })
          for (const group of ['any', 'ordered']) {
            await eventually('the first failure', async () => {
              return ['retrying', 'succeeded'].includes(await statusOf(bus, 'retried', group))
            })
          }
          clock.setAhead(stepMs)
          for (const group of ['any', 'ordered']) {
            for (const id of ['retried', 'delayed']) {
              await eventually(`${id} to succeed in ${group}`, async () => {
                return (await statusOf(bus, id, group)) === 'succeeded'
              })
            }
          }
          assert.equal((await bus.getStats()).failed, 4)
        }),
    }),
  ),

  {
    name: 'an event of a clock that was ten years ahead does not give its time to later ones',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const clock = new SteppingClock()
        const bus = await openBus({ clock })
        const { inbox } = await collect(bus, 'a', { group: 'g' })
        clock.setAhead(TEN_YEARS_MS)
        await bus.publish({ type: 'a', id: 'ahead' })
        clock.setAhead(0)
        const startedAtMs = Date.now()
        await bus.publish({ type: 'a', id: 'now' })
        await bus.publish({ type: 'a', id: 'later' }, { delayMs: WAIT_MS })
        await inbox.waitFor(3)
        for (const id of ['now', 'later']) {
          const { publishedAt } = (await bus.get(id))!
          const offMs = Math.abs(Date.parse(publishedAt) - startedAtMs)
          assert.ok(offMs < HOUR_MS, `expected ${id} to be stored now, got ${publishedAt}`)
        }
        const since = new Date(startedAtMs - HOUR_MS)
        const until = new Date(startedAtMs + HOUR_MS)
        const { events } = await bus.list({ since, until })
        const found = events.map(({ event }) => event.id)
        assert.ok(found.includes('now') && found.includes('later'), found.join())
      }),
  },
]
