import assert from 'node:assert/strict'
import type { EventBus } from '../../event-bus.js'
import type { EventBusOptions } from '../../options.js'
import {
  type ConformanceCase,
  collect,
  eventually,
  rejectsWith,
  statusOf,
  withBus,
  withStorage,
} from '../harness/harness.js'

type OpenBus = (options?: Partial<EventBusOptions>) => Promise<EventBus>

/** A case that only a store can pass whose events outlive it. */
function persistent(name: string, body: (openBus: OpenBus) => Promise<void>): ConformanceCase {
  return {
    name,
    run: async (harness) => {
      if (harness.persistent) await withStorage(harness, body)
    },
  }
}

export const recoveryCases: readonly ConformanceCase[] = [
  persistent('a group gets what was published while it had no consumer', async (openBus) => {
    const first = await openBus()
    const { inbox: early } = await collect(first, 'a', { group: 'g' })
    await first.publish({ type: 'a', id: '1' })
    await early.waitFor(1)
    await first.close()
    const second = await openBus()
    await second.publish({ type: 'a', id: '2' })
    await second.close()
    const third = await openBus()
    const { inbox } = await collect(third, 'a', { group: 'g' })
    await third.publish({ type: 'a', id: '3' })
    await inbox.waitFor(2)
    await eventually('success', async () => (await statusOf(third, '3', 'g')) === 'succeeded')
    assert.deepEqual(inbox.ids.toSorted(), ['2', '3'])
    assert.equal((await third.list()).total, 3)
  }),

  persistent('closing waits for handlers that run', async (openBus) => {
    const bus = await openBus()
    let done = false
    const { inbox } = await collect(bus, 'a', { group: 'g' }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      done = true
    })
    await bus.publish({ type: 'a', id: 'x' })
    await inbox.waitFor(1)
    await bus.close()
    assert.equal(done, true)
    await rejectsWith('CLOSED', bus.publish({ type: 'a' }))
    const again = await openBus()
    assert.equal(await statusOf(again, 'x', 'g'), 'succeeded')
  }),

  persistent('what a closing bus could not wait for is delivered again', async (openBus) => {
    const bus = await openBus()
    let aborted = false
    const { inbox } = await collect(bus, 'a', { group: 'g' }, async ({ signal }) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true
          resolve()
        })
      })
    })
    await bus.publish({ type: 'a', id: 'x' })
    await inbox.waitFor(1)
    await bus.close({ drainTimeoutMs: 30 })
    assert.equal(aborted, true)
    const again = await openBus()
    const { inbox: second } = await collect(again, 'a', { group: 'g' })
    await second.waitFor(1)
    assert.deepEqual(second.ids, ['x'])
  }),

  persistent('retries, scheduled events and dead letters outlive the process', async (openBus) => {
    const bus = await openBus()
    const options = { group: 'g', retry: { maxAttempts: 2, baseDelayMs: 4_000, jitter: 0 } }
    const { inbox } = await collect(bus, 'a', options, ({ event }) => {
      throw Object.assign(new Error('no'), { retryable: event.id !== 'dead' })
    })
    await bus.publish({ type: 'a', id: 'later' }, { delayMs: 4_000 })
    await bus.publish({ type: 'a', id: 'dead' })
    await bus.publish({ type: 'a', id: 'retry' })
    await inbox.waitFor(2)
    await eventually('the retry', async () => (await statusOf(bus, 'retry', 'g')) === 'retrying')
    await eventually('the end', async () => (await statusOf(bus, 'dead', 'g')) === 'dead-lettered')
    await bus.close()
    const again = await openBus()
    const { inbox: second } = await collect(again, 'a', options)
    await second.waitFor(2)
    await eventually('success', async () => (await statusOf(again, 'later', 'g')) === 'succeeded')
    assert.deepEqual(second.ids.toSorted(), ['later', 'retry'])
    assert.equal(second.deliveries.find(({ event }) => event.id === 'retry')?.attempt, 2)
    assert.equal((await again.deadLetters.list()).deadLetters[0]?.event.id, 'dead')
  }),

  persistent('an ordered group goes on in order after a restart', async (openBus) => {
    const bus = await openBus()
    const options = {
      group: 'g',
      orderingKey: 'subject',
      retry: { baseDelayMs: 30_000, maxDelayMs: 30_000 },
    }
    const { inbox } = await collect(bus, 'a', options, ({ event }) => {
      if (event.id === '2') throw new Error('no')
    })
    await bus.publishBatch(['1', '2', '3', '4'].map((id) => ({ type: 'a', id, subject: 'k' })))
    await inbox.waitFor(2)
    await eventually('the retry', async () => (await statusOf(bus, '2', 'g')) === 'retrying')
    await bus.close()
    const again = await openBus()
    const { inbox: second } = await collect(again, 'a', options)
    await second.waitFor(3)
    assert.deepEqual(second.ids, ['2', '3', '4'])
    assert.equal(second.deliveries[0]!.attempt, 2)
  }),

  persistent('a removed group is forgotten', async (openBus) => {
    const bus = await openBus()
    const { inbox, subscription } = await collect(bus, 'a', { group: 'g' })
    await bus.publish({ type: 'a', id: 'x' })
    await inbox.waitFor(1)
    await subscription.close()
    assert.equal(await bus.removeGroup('g'), true)
    assert.equal(await bus.removeGroup('g'), false)
    const { inbox: second } = await collect(bus, 'a', { group: 'g', start: 'beginning' })
    await second.waitFor(1)
    assert.deepEqual(second.ids, ['x'])
  }),

  withBus('a group that is made again has nothing of the one before', async (bus) => {
    const retry = { maxAttempts: 1_000, baseDelayMs: 50, maxDelayMs: 50, jitter: 0 }
    const { inbox, subscription } = await collect(bus, 'a', { group: 'g', retry }, ({ event }) => {
      throw Object.assign(new Error('no'), { retryable: event.id !== 'dead' })
    })
    await bus.publishBatch(['old', 'dead'].map((id) => ({ type: 'a', id })))
    await inbox.waitFor(2)
    await eventually('the retry', async () => (await statusOf(bus, 'old', 'g')) === 'retrying')
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    await bus.publish({ type: 'a', id: 'late' }, { delayMs: 1_500 })
    await subscription.close()
    await bus.removeGroup('g')
    for (const id of ['old', 'dead']) assert.equal(await statusOf(bus, id, 'g'), 'none')
    assert.deepEqual(await bus.deadLetters.list(), { deadLetters: [], total: 0 })
    const again = await collect(bus, 'a', { group: 'g' })
    await bus.publish({ type: 'a', id: 'new' }, { delayMs: 2_000 })
    await again.inbox.waitFor(1)
    assert.deepEqual(again.inbox.ids, ['new'])
    assert.equal(await bus.deadLetters.redrive(), 0)
  }),
]
