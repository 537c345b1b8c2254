import assert from 'node:assert/strict'
import type { EventBus } from '../../event-bus.js'
import { type ConformanceCase, rejectsWith, withBus, withStorage } from '../harness/harness.js'

const increment = (value: unknown): number => (typeof value === 'number' ? value : 0) + 1

/** Values that the processes of a bus share. */
export const sharedValueCases: readonly ConformanceCase[] = [
  withBus('a shared value is read as it was written last, and none is undefined', async (bus) => {
    assert.equal(await bus.shared.get('k'), undefined)
    for (const value of [{ a: [1, 'ü\n', null] }, 'x y', 0, null]) {
      assert.deepEqual(await bus.shared.update('k', () => value), value)
      assert.deepEqual(await bus.shared.get('k'), value)
    }
    assert.equal(await bus.shared.update('k', (value) => value), null)
    assert.equal(await bus.shared.get('other'), undefined)
    for (const key of ['', 'A', 'a.b', 'a*', 'a'.repeat(129)]) {
      await rejectsWith('INVALID_OPTIONS', bus.shared.get(key))
    }
    await rejectsWith(
      'INVALID_OPTIONS',
      bus.shared.update('k', () => 'x'.repeat(65_536)),
    )
  }),

  {
    name: 'no change of a shared value is lost when several processes make them at once',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const first = await openBus()
        const buses: EventBus[] = harness.shared ? [first, await openBus()] : [first, first]
        const changes = buses.flatMap((bus) =>
          Array.from({ length: 10 }, () => bus.shared.update('count', increment)),
        )
        const values = await Promise.all(changes)
        assert.deepEqual(
          values.toSorted((a, b) => Number(a) - Number(b)),
          Array.from({ length: 20 }, (_, n) => n + 1),
        )
        for (const bus of buses) assert.equal(await bus.shared.get('count'), 20)
      }),
  },

  {
    name: 'a shared value outlives the processes that wrote it, as events do',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        if (!harness.persistent) return
        const before = await openBus()
        await before.shared.update('k', () => ({ paused: true }))
        await before.close()
        const after = await openBus()
        assert.deepEqual(await after.shared.get('k'), { paused: true })
        assert.equal(await after.shared.update('k', () => 2), 2)
      }),
  },
]
