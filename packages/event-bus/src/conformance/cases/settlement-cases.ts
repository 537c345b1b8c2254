import assert from 'node:assert/strict'
import { EventBusError } from '../../errors.js'
import type { EventBus } from '../../event-bus.js'
import type { Settlement } from '../../store/event-store.js'
import { changeConsumers, withChangedStore } from '../harness/changed-store.js'
import {
  type ConformanceCase,
  collect,
  eventually,
  statusOf,
  withBus,
  withStorage,
} from '../harness/harness.js'

/** What happens to a settlement before it reaches the store, and to the answer on its way back. */
interface SettlementFaults {
  before?(settlement: Settlement): void
  after?(settlement: Settlement): void
}

/** A case with one bus, whose settlements fail as the case says. */
function withSettling(
  name: string,
  faults: () => SettlementFaults,
  body: (bus: EventBus) => Promise<void>,
): ConformanceCase {
  return {
    name,
    run: (harness) => {
      const failing = withChangedStore(harness, (store) => {
        const { before, after } = faults()
        changeConsumers(store, (consumer) => {
          const settle = consumer.settle.bind(consumer)
          consumer.settle = async (claim, settlement) => {
            before?.(settlement)
            const emitted = await settle(claim, settlement)
            after?.(settlement)
            return emitted
          }
        })
      })
      return withStorage(failing, async (openBus) => body(await openBus()))
    },
  }
}

/** Throws at the first acks. */
function failFirst(times: number): (settlement: Settlement) => void {
  let left = times
  return ({ kind }) => {
    if (kind === 'ack' && left-- > 0) throw new EventBusError('STORE_UNAVAILABLE', 'away')
  }
}

/** How the end of an attempt is stored, also when that fails. */
export const settlementCases: readonly ConformanceCase[] = [
  withSettling(
    'a settlement that failed is sent again, and the handler does not run again',
    () => ({ before: failFirst(2) }),
    async (bus) => {
      const { inbox } = await collect(bus, 'a', { group: 'g' })
      await bus.publish({ type: 'a', id: 'x' })
      await eventually('success', async () => (await bus.getStats()).delivered === 1)
      assert.equal(await statusOf(bus, 'x', 'g'), 'succeeded')
      assert.deepEqual(inbox.ids, ['x'])
    },
  ),

  withSettling(
    'a settlement that the store refuses becomes a dead letter with the reason, and its key goes on',
    () => ({
      before: ({ kind }) => {
        if (kind === 'ack') throw new EventBusError('SETTLEMENT_REFUSED', 'too large for this')
      },
    }),
    async (bus) => {
      const { inbox } = await collect(bus, 'a', { group: 'g', orderingKey: 'subject' })
      await bus.publishBatch(['1', '2'].map((id) => ({ type: 'a', id, subject: 'k' })))
      await inbox.waitFor(2)
      await eventually('the end', async () => (await bus.deadLetters.list()).total === 2)
      const [letter] = (await bus.deadLetters.list()).deadLetters
      assert.equal(letter?.error.code, 'SETTLEMENT_REFUSED')
      assert.match(letter!.error.message, /too large for this/)
    },
  ),

  withSettling(
    'a settlement whose claim was lost is not sent again, and its key goes on',
    () => ({
      before: (settlement) => {
        if (settlement.kind === 'ack' && settlement.record === 'lost') {
          throw new EventBusError('CLAIM_LOST', 'another consumer has it')
        }
      },
    }),
    async (bus) => {
      const options = { group: 'g', orderingKey: 'subject', concurrency: 1 }
      const { inbox, subscription } = await collect(bus, 'a', options, ({ event }) => ({
        record: event.id,
      }))
      await bus.publishBatch(['lost', 'next'].map((id) => ({ type: 'a', id, subject: 'k' })))
      await eventually('success', async () => subscription.getStats().succeeded === 1)
      assert.equal(await statusOf(bus, 'next', 'g'), 'succeeded')
      assert.deepEqual(inbox.ids, ['lost', 'next'])
      const { lost, running, waiting } = subscription.getStats()
      assert.deepEqual([lost, running, waiting], [1, 0, 0])
    },
  ),

  withSettling(
    'what a handler said of itself is kept when its settlement is refused, as far as the store takes it',
    () => ({
      before: (settlement) => {
        const { kind } = settlement
        const record = 'record' in settlement ? JSON.stringify(settlement.record) : ''
        if (kind === 'ack' || record.includes('no letter')) {
          throw new EventBusError('SETTLEMENT_REFUSED', 'too large for this')
        }
      },
    }),
    async (bus) => {
      await collect(bus, 'a', { group: 'g' }, ({ event }) => ({
        record: { logs: [event.id] },
        emit: [{ type: 'made' }],
      }))
      await bus.publishBatch(['fine', 'no letter'].map((id) => ({ type: 'a', id })))
      await eventually('the end', async () => (await bus.deadLetters.list()).total === 2)
      const recordOf = async (id: string) => (await bus.get(id))!.deliveries[0]!.record
      assert.deepEqual(await recordOf('fine'), { logs: ['fine'] })
      assert.equal(await recordOf('no letter'), undefined)
      assert.equal((await bus.list({ type: 'made' })).total, 0)
    },
  ),

  {
    name: 'a record that is too long is cut, and says so',
    run: (harness) =>
      withStorage(harness, async (openBus) => {
        const bus = await openBus({ maxRecordBytes: 2_000 })
        await collect(bus, 'a', { group: 'g' }, () => ({
          record: { result: 'ü'.repeat(3_000), logs: ['one'], durationMs: 5 },
        }))
        await bus.publish({ type: 'a', id: 'x' })
        await eventually('success', async () => (await bus.getStats()).delivered === 1)
        const { record } = (await bus.get('x'))!.deliveries[0]!
        assert.ok(Buffer.byteLength(JSON.stringify(record)) <= 2_000)
        const { truncated, logs, result } = record as Record<string, unknown>
        assert.deepEqual([truncated, logs], [['result'], ['one']])
        assert.match(result as string, /^ü{900,}$/)
      }),
  },

  withBus(
    'a subscription can be closed in its own handler, and its event is settled',
    async (bus) => {
      let closed = false
      const { subscription } = await collect(bus, 'a', { group: 'g' }, async () => {
        await subscription.close()
        closed = true
      })
      await bus.publish({ type: 'a', id: 'x' })
      await eventually(
        'success',
        async () => (await statusOf(bus, 'x', 'g')) === 'succeeded',
        5_000,
      )
      assert.equal(closed, true)
    },
  ),

  withSettling(
    'a settlement whose answer was lost is applied once, with what was emitted',
    () => ({ after: failFirst(1) }),
    async (bus) => {
      const sink = await collect(bus, 'made', { group: 'sink' })
      const { inbox } = await collect(bus, 'a', { group: 'g' }, ({ event }) => ({
        emit: [{ type: 'made', data: event.id }],
      }))
      await bus.publish({ type: 'a', id: 'x' })
      await eventually('success', async () => (await statusOf(bus, 'x', 'g')) === 'succeeded')
      await bus.publish({ type: 'a', id: 'last' })
      await sink.inbox.waitFor(2)
      await eventually('success', async () => (await statusOf(bus, 'last', 'g')) === 'succeeded')
      assert.deepEqual(inbox.ids, ['x', 'last'])
      assert.deepEqual(sink.inbox.events.map(({ data }) => data).toSorted(), ['last', 'x'])
      assert.equal((await bus.list({ type: 'made' })).total, 2)
      assert.equal((await bus.deadLetters.list()).total, 0)
    },
  ),
]
