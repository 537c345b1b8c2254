import assert from 'node:assert/strict'
import {
  type ConformanceCase,
  collect,
  rejectsWith,
  withBus,
  withStorage,
} from '../harness/harness.js'

const once = { retry: { maxAttempts: 1 } } as const

export const outcomeCases: readonly ConformanceCase[] = [
  withBus(
    'a publish that waits resolves with what each group did, retries included',
    async (bus) => {
      await collect(bus, 'a', { group: 'notes' }, () => ({ record: { noted: true } }))
      await collect(bus, 'a', { group: 'never', ...once }, () => {
        throw new Error('no')
      })
      await collect(bus, 'a', { group: 'second', retry: { baseDelayMs: 1 } }, ({ attempt }) => {
        if (attempt === 1) throw new Error('not yet')
      })
      await collect(bus, 'b', { group: 'other' })
      const { id, duplicate, settled, deliveries } = await bus.publish(
        { type: 'a' },
        { wait: true },
      )
      assert.deepEqual([typeof id, duplicate, settled], ['string', false, true])
      assert.deepEqual(
        deliveries.map(({ group, status, attempts, record, error }) => [
          group,
          status,
          attempts,
          record,
          error?.message,
        ]),
        [
          ['never', 'dead-lettered', 1, undefined, 'no'],
          ['notes', 'succeeded', 1, { noted: true }, undefined],
          ['second', 'succeeded', 2, undefined, undefined],
        ],
      )
    },
  ),

  withBus('a publish that waits resolves at once where no group gets the event', async (bus) => {
    const { settled, deliveries } = await bus.publish({ type: 'a' }, { wait: true })
    assert.deepEqual([settled, deliveries], [true, []])
  }),

  withBus(
    'a duplicate that is published and waited for has the outcome of the first',
    async (bus) => {
      const { inbox } = await collect(bus, 'a', { group: 'g' }, () => ({ record: 1 }))
      const event = { type: 'a', id: 'x', source: '/s' }
      const [first] = await bus.publishBatch([event], { wait: true })
      const again = await bus.publish(event, { wait: { timeoutMs: 5_000 } })
      assert.deepEqual([again.duplicate, again.settled], [true, true])
      assert.deepEqual(again.deliveries, first!.deliveries)
      assert.equal(inbox.ids.length, 1)
    },
  ),

  withBus(
    'a publish that waits too long says where each group stands, and the groups go on',
    async (bus) => {
      let finish = (): void => {}
      const working = new Promise<void>((resolve) => {
        finish = resolve
      })
      await collect(bus, 'a', { group: 'slow' }, () => working)
      await collect(bus, 'a', { group: 'fast' })
      const event = { type: 'a', id: 'late', source: '/s' }
      const fast = await bus.publish(event, { wait: { groups: ['fast'] } })
      assert.deepEqual(
        fast.deliveries.map(({ group, status }) => [group, status]),
        [['fast', 'succeeded']],
      )
      const { settled, deliveries } = await bus.publish(event, { wait: { timeoutMs: 100 } })
      assert.equal(settled, false)
      assert.deepEqual(
        deliveries.map(({ group, status }) => [group, status === 'succeeded']),
        [
          ['fast', true],
          ['slow', false],
        ],
      )
      finish()
      const end = await bus.publish(event, { wait: true })
      assert.deepEqual([end.duplicate, end.settled], [true, true])
    },
  ),

  withBus('a wait ends with its signal, or with the bus', async (bus) => {
    const { inbox } = await collect(bus, 'a', { group: 'slow' }, () => new Promise<void>(() => {}))
    const stop = new AbortController()
    const stopped = bus.publish({ type: 'a' }, { wait: { signal: stop.signal } })
    await inbox.waitFor(1)
    stop.abort(new Error('enough'))
    await assert.rejects(stopped, /enough/)
    const waiting = bus.publish({ type: 'a' }, { wait: true })
    await inbox.waitFor(2)
    const closed = bus.close({ drainTimeoutMs: 0 })
    await rejectsWith('CLOSED', waiting)
    await closed
  }),

  {
    name: 'a publish that waits notices groups that another process consumes',
    run: async (harness) => {
      if (!harness.shared) return
      await withStorage(harness, async (openBus) => {
        const [here, there] = [await openBus(), await openBus()]
        await collect(there, 'a', { group: 'there' }, () => ({ record: 'done' }))
        const { settled, deliveries } = await here.publish({ type: 'a' }, { wait: true })
        assert.deepEqual([settled, deliveries[0]?.record], [true, 'done'])
      })
    },
  },
]
