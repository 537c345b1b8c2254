import assert from 'node:assert/strict'
import type { Claim, GroupConsumer } from '../../store/event-store.js'
import { changeConsumers, withChangedStore } from '../harness/changed-store.js'
import {
  type ConformanceCase,
  collect,
  eventually,
  rejectsWith,
  statusOf,
  withStorage,
} from '../harness/harness.js'
import { failedAttempt, never, requestOf, withConsumer } from '../harness/with-consumer.js'

const ACK_WAIT_MS = 1_000

/** What a consumer claims: that it lasts while it is worked on, that it lapses, and what a lost one is worth. */
export const claimCases: readonly ConformanceCase[] = [
  withConsumer('attempts count handlers that were started, not claims', async (open) => {
    const first = await open()
    const [unstarted] = await first.fetch(1, never())
    assert.equal(unstarted?.attempt, 1)
    await first.close()
    const second = await open()
    const [claim] = await second.fetch(1, never())
    assert.equal(claim?.attempt, 1)
    assert.deepEqual(await second.begin([claim!]), [claim])
    await second.settle(claim!, failedAttempt('retry'))
    const [again] = await second.fetch(1, never())
    assert.equal(again?.attempt, 2)
    await second.close()
  }),

  ...[false, true].map((ordered) =>
    withConsumer(
      `an attempt counts once, however often its start is told, ${ordered ? 'in order' : 'without order'}`,
      async (open) => {
        const first = await open({ ordered })
        const [claim] = await first.fetch(1, never())
        // The answer may be lost: then the start is told again.
        for (const _ of [1, 2, 3]) assert.deepEqual(await first.begin([claim!]), [claim])
        await first.close()
        const second = await open({ ordered })
        const [again] = await second.fetch(1, never())
        assert.equal(again?.attempt, 2)
        await second.close()
      },
    ),
  ),

  ...[false, true].flatMap((ordered) =>
    (['that waits', 'that comes later'] as const).map((next) =>
      withConsumer(
        `an attempt whose claim is given back counts once its handler was started, ${ordered ? 'in order' : 'without order'}, for a consumer ${next}`,
        async (open, store) => {
          const request = { ordered }
          await store.append([requestOf('y')], undefined)
          const first = await open(request)
          const claims = await claimAll(first, 2)
          const [started] = claims.filter(({ event }) => event.id === 'x')
          assert.deepEqual(await first.begin([started!]), [started])
          const waiting = next === 'that waits' ? await open(request) : undefined
          for (const claim of claims) await first.settle(claim, { kind: 'release' })
          await first.close()
          const second = waiting ?? (await open(request))
          const attempts = (await claimAll(second, 2)).map(({ event, attempt }) => [
            event.id,
            attempt,
          ])
          assert.deepEqual(ordered ? attempts : attempts.toSorted(), [
            ['x', 2],
            ['y', 1],
          ])
          await second.close()
        },
      ),
    ),
  ),

  withConsumer('an attempt counts whose handler runs when its consumer leaves', async (open) => {
    for (const attempt of [1, 2, 3]) {
      const consumer = await open()
      const [claim] = await consumer.fetch(1, never())
      assert.equal(claim?.attempt, attempt)
      await consumer.begin([claim!])
      await consumer.close()
    }
  }),

  ...(['retry', 'dead-letter'] as const).map((kind) =>
    withConsumer(`a claim that was lost cannot be settled: ${kind}`, async (open, store) => {
      const first = await open()
      const [lost] = await first.fetch(1, never())
      await first.close()
      const second = await open()
      const [claim] = await second.fetch(1, never())
      await rejectsWith('CLAIM_LOST', first.settle(lost!, failedAttempt(kind)))
      assert.deepEqual(await first.begin([lost!]), [])
      await second.begin([claim!])
      await second.settle(claim!, { kind: 'ack', emit: [], durationMs: 1 })
      const [delivery] = (await store.get('x'))!.deliveries
      assert.equal(delivery?.status, 'succeeded')
      assert.equal((await store.listDeadLetters({})).total, 0)
      await second.close()
    }),
  ),

  ...[false, true].map(
    (ordered): ConformanceCase => ({
      name: `a handler that runs longer than ackWaitMs keeps its claim, ${ordered ? 'in order' : 'without order'}`,
      run: (harness) => {
        let extended = 0
        const countExtensions = withChangedStore(harness, (store) =>
          changeConsumers(store, (consumer) => {
            const extend = consumer.extend.bind(consumer)
            consumer.extend = (claims) => {
              if (claims.some(({ event }) => event.id === 'long')) extended += 1
              extend(claims)
            }
          }),
        )
        return withStorage(countExtensions, async (openBus) => {
          const bus = await openBus()
          const other = harness.shared ? await openBus() : bus
          const options = {
            group: 'g',
            ackWaitMs: ACK_WAIT_MS,
            ...(ordered && { orderingKey: 'subject' }),
          }
          let finish = (): void => {}
          const finished = new Promise<void>((resolve) => {
            finish = resolve
          })
          const long = await collect(bus, 'a', options, () => finished)
          await bus.publish({ type: 'a', id: 'long', subject: 'k' })
          await long.inbox.waitFor(1)
          const waiting = await collect(other, 'a', options)
          // The delayed event measures three times the wait; it goes to a group of its own.
          const witness = await collect(bus, 'witness', { group: 'witness' })
          await bus.publish({ type: 'witness' }, { delayMs: 3 * ACK_WAIT_MS })
          await witness.inbox.waitFor(1)
          assert.deepEqual(waiting.inbox.ids, [])
          assert.ok(extended >= 3, `expected the claim to be extended, got ${extended} times`)
          finish()
          await eventually('success', async () => {
            return (await statusOf(bus, 'long', 'g')) === 'succeeded'
          })
          await long.subscription.close()
          await other.publish({ type: 'a', id: 'next', subject: 'k' })
          await waiting.inbox.waitFor(1)
          assert.deepEqual([...long.inbox.ids, ...waiting.inbox.ids], ['long', 'next'])
        })
      },
    }),
  ),

  ...(['the new owner', 'the old owner'] as const).map((first) =>
    withConsumer(
      `a claim that is not extended lapses, counted from its request, and starts once: ${first} is first`,
      async (open, store, { shared }) => {
        // In one process, a claim ends with its consumer alone.
        if (!shared) return
        await store.append([requestOf('y')], undefined)
        const request = { ackWaitMs: ACK_WAIT_MS }
        const older = await open(request)
        const stale = await claimAll(older, 2)
        const newer = await open(request)
        const taken = await claimAll(newer, 2)
        assert.deepEqual(taken.map(({ event, attempt }) => [event.id, attempt]).toSorted(), [
          ['x', 1],
          ['y', 1],
        ])
        const begunEarly = first === 'the old owner' ? await older.begin(stale) : []
        const begun = await newer.begin(taken)
        const begunLate = first === 'the new owner' ? await older.begin(stale) : []
        const starts = [...begunEarly, ...begun, ...begunLate].map(({ event }) => event.id)
        assert.deepEqual(starts.toSorted(), ['x', 'y'])
        if (first === 'the new owner') {
          assert.deepEqual(begunLate, [])
          await rejectsWith('CLAIM_LOST', older.settle(stale[0]!, failedAttempt('dead-letter')))
          const emit = [requestOf('emitted')]
          const late = older.settle(stale[1]!, { kind: 'ack', emit, durationMs: 1 })
          await rejectsWith('CLAIM_LOST', late)
          assert.equal(await store.get('emitted'), undefined)
          for (const claim of taken) {
            await newer.settle(claim, { kind: 'ack', emit: [], durationMs: 1 })
          }
          assert.equal((await store.listDeadLetters({})).total, 0)
        }
        await older.close()
        await newer.close()
      },
    ),
  ),

  {
    name: 'the handler of a claim that was lost before its start does not run',
    run: (harness) => {
      const lost = withChangedStore(harness, (store) =>
        changeConsumers(store, (consumer) => {
          const begin = consumer.begin.bind(consumer)
          consumer.begin = (claims) => begin(claims.filter(({ event }) => event.id !== 'lost'))
        }),
      )
      return withStorage(lost, async (openBus) => {
        const bus = await openBus()
        const { inbox, subscription } = await collect(bus, 'a', { group: 'g' })
        await bus.publishBatch(['lost', 'own'].map((id) => ({ type: 'a', id })))
        await eventually('success', async () => (await statusOf(bus, 'own', 'g')) === 'succeeded')
        await eventually('the loss to be counted', async () => subscription.getStats().lost === 1)
        assert.deepEqual(inbox.ids, ['own'])
      })
    },
  },
]

/** Fetches until there are this many claims. */
async function claimAll(consumer: GroupConsumer, count: number): Promise<Claim[]> {
  const claims: Claim[] = []
  while (claims.length < count) {
    claims.push(...(await consumer.fetch(count - claims.length, never())))
  }
  return claims
}
