import assert from 'node:assert/strict'
import { type ConformanceCase, collect, eventually, statusOf, withBus } from '../harness/harness.js'

const once = { maxAttempts: 1 }

export const deadLetterCases: readonly ConformanceCase[] = [
  withBus('an event goes to the dead letters after its last attempt', async (bus) => {
    const { inbox } = await collect(
      bus,
      'a',
      { group: 'g', retry: { maxAttempts: 3, baseDelayMs: 5, maxDelayMs: 10 } },
      () => {
        throw Object.assign(new Error('never'), { record: { log: ['tried'] } })
      },
    )
    const letters: string[] = []
    bus.on('dead-lettered', ({ event }) => letters.push(event.id))
    await bus.publish({ type: 'a', id: 'x', data: 5 })
    await inbox.waitFor(3)
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    const [letter] = (await bus.deadLetters.list({ group: 'g' })).deadLetters
    assert.equal(letter?.event.data, 5)
    assert.equal(letter?.attempts, 3)
    assert.equal(letter?.error.message, 'never')
    assert.deepEqual(letter?.record, { log: ['tried'] })
    await eventually('the status', async () => {
      return (await statusOf(bus, 'x', 'g')) === 'dead-lettered' && letters.length === 1
    })
    assert.deepEqual(letters, ['x'])
    assert.equal(inbox.deliveries.length, 3)
  }),

  withBus('an error that is not retryable goes there at once', async (bus) => {
    const { inbox } = await collect(bus, 'a', { group: 'g' }, () => {
      throw Object.assign(new Error('wrong for good'), { retryable: false })
    })
    await bus.publish({ type: 'a', id: 'x' })
    await eventually('the end', async () => (await statusOf(bus, 'x', 'g')) === 'dead-lettered')
    assert.equal(inbox.deliveries.length, 1)
  }),

  withBus('dead letters are listed in pages, redriven and purged', async (bus) => {
    let broken = true
    const { inbox } = await collect(bus, 'a', { group: 'g', retry: once }, () => {
      if (broken) throw new Error('down')
    })
    await collect(bus, 'a', { group: 'h', retry: once }, () => {
      throw new Error('always')
    })
    await bus.publishBatch(Array.from({ length: 25 }, (_, n) => ({ type: 'a', id: `e${n}` })))
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 50)
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const page = await bus.deadLetters.list({
        group: 'g',
        limit: 10,
        ...(cursor !== undefined && { cursor }),
      })
      assert.equal(page.total, 25)
      ids.push(...page.deadLetters.map(({ event }) => event.id))
      cursor = page.cursor
    } while (cursor !== undefined)
    assert.deepEqual(
      ids,
      Array.from({ length: 25 }, (_, n) => `e${24 - n}`),
    )

    broken = false
    assert.equal(await bus.deadLetters.redrive({ group: 'g', id: 'e3' }), 1)
    await eventually('success', async () => (await statusOf(bus, 'e3', 'g')) === 'succeeded')
    assert.equal(await bus.deadLetters.redrive({ group: 'g' }), 24)
    await inbox.waitFor(50)
    await eventually('success', async () => (await bus.getStats()).delivered === 25)
    assert.equal((await bus.deadLetters.list({ group: 'g' })).total, 0)
    assert.equal(await bus.deadLetters.purge({ group: 'h' }), 25)
    assert.equal((await bus.deadLetters.list()).total, 0)
    assert.equal((await bus.list()).total, 25)
  }),

  withBus('more dead letters than one step ends are redriven and purged', async (bus) => {
    const count = 1_200
    const { inbox } = await collect(bus, 'a', { group: 'g', retry: once, concurrency: 64 }, () => {
      throw new Error('always')
    })
    await bus.publishBatch(Array.from({ length: count }, () => ({ type: 'a' })))
    await eventually('the end', async () => (await bus.deadLetters.list()).total === count)
    assert.equal(await bus.deadLetters.redrive({ group: 'g' }), count)
    await inbox.waitFor(2 * count)
    await eventually('the end again', async () => (await bus.deadLetters.list()).total === count)
    assert.equal(await bus.deadLetters.purge({ group: 'g' }), count)
    assert.equal((await bus.deadLetters.list()).total, 0)
  }),

  withBus('a key goes on behind an event that was given up', async (bus) => {
    const { inbox } = await collect(
      bus,
      'a',
      { group: 'g', orderingKey: 'subject', retry: once },
      ({ event }) => {
        if (event.id === '1') throw new Error('no')
      },
    )
    await bus.publishBatch(['1', '2', '3'].map((id) => ({ type: 'a', id, subject: 'k' })))
    await inbox.waitFor(3)
    assert.deepEqual(inbox.ids, ['1', '2', '3'])
  }),

  withBus('redrives and replays that come together are one delivery', async (bus) => {
    const options = { group: 'g', retry: once }
    const { subscription } = await collect(bus, 'a', options, () => {
      throw new Error('no')
    })
    await bus.publish({ type: 'a', id: 'x' })
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    await subscription.close()
    await Promise.all([
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
    ])
    await bus.replay({ id: 'x' })
    assert.equal((await bus.deadLetters.list()).total, 0)
    const { inbox } = await collect(bus, 'a', options)
    await bus.publish({ type: 'a', id: 'last' })
    await inbox.waitFor(2)
    await eventually('success', async () => (await bus.getStats()).delivered === 2)
    assert.deepEqual(inbox.ids.toSorted(), ['last', 'x'])
  }),

  withBus('a dead letter that is replayed is a dead letter no more', async (bus) => {
    let broken = true
    const { inbox } = await collect(bus, 'a', { group: 'g', retry: once }, () => {
      if (broken) throw new Error('no')
    })
    await bus.publish({ type: 'a', id: 'x' })
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    broken = false
    assert.deepEqual(await bus.replay({ id: 'x' }), { events: 1, deliveries: 1 })
    assert.equal((await bus.deadLetters.list()).total, 0)
    await eventually('success', async () => (await statusOf(bus, 'x', 'g')) === 'succeeded')
    assert.equal(await bus.deadLetters.redrive(), 0)
    assert.equal(await bus.deadLetters.purge(), 0)
    assert.deepEqual(inbox.ids, ['x', 'x'])
  }),
]
