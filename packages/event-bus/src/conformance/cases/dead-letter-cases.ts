import assert from 'node:assert/strict'
import { type ConformanceCase, collect, eventually, statusOf, withBus } from '../harness/harness.js'

const once = { maxAttempts: 1 }

const byId = (a: unknown, b: unknown): number => {
  const id = (data: unknown) => (data as { id: string }).id
  return id(a) < id(b) ? -1 : 1
}

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

  withBus(
    'what a dead letter leads to is stored with it, once for each dead letter',
    async (bus) => {
      const { inbox } = await collect(bus, 'told', { group: 'sink' })
      await collect(
        bus,
        'a',
        {
          group: 'g',
          retry: { maxAttempts: 2, baseDelayMs: 1, maxDelayMs: 1 },
          onDeadLetter: ({ event, attempt, error, record }) => [
            {
              type: 'told',
              data: { id: event.id, attempt, message: error.message, record: record! },
            },
          ],
        },
        ({ event }) => {
          const failure = new Error(`no ${event.id}`)
          throw Object.assign(failure, { record: { log: [1] }, retryable: event.id !== 'y' })
        },
      )
      await bus.publishBatch(['x', 'y'].map((id) => ({ type: 'a', id })))
      await inbox.waitFor(2)
      assert.deepEqual(inbox.events.map(({ data }) => data).toSorted(byId), [
        { id: 'x', attempt: 2, message: 'no x', record: { log: [1] } },
        { id: 'y', attempt: 1, message: 'no y', record: { log: [1] } },
      ])
      await eventually('the end', async () => (await bus.deadLetters.list()).total === 2)
      assert.equal(await bus.deadLetters.redrive({ id: 'x' }), 1)
      await inbox.waitFor(3)
      assert.equal((await bus.list({ type: 'told' })).total, 3)
      assert.equal((await bus.getStats()).emitted, 3)
    },
  ),

  withBus('a dead letter is stored also where what it leads to is refused', async (bus) => {
    const errors: unknown[] = []
    bus.on('error', (error) => errors.push(error))
    await collect(
      bus,
      'a',
      {
        group: 'g',
        retry: once,
        onDeadLetter: ({ event }) => {
          if (event.id === 'throws') throw new Error('broken')
          return [{ type: '' }]
        },
      },
      () => {
        throw new Error('no')
      },
    )
    await bus.publishBatch(['throws', 'refused'].map((id) => ({ type: 'a', id })))
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 2)
    assert.equal(errors.length, 2)
    assert.equal((await bus.list()).total, 2)
  }),

  withBus(
    'types with spaces and empty tokens are found, handled and emitted, also with a dead letter',
    async (bus) => {
      const types = ['a type with spaces', 'com.example.', '.a', '100%', 'größe', 'a..b']
      const emit = types.map((type) => ({ type }))
      const { inbox } = await collect(bus, '>', { group: 'all' })
      const spaced = await collect(bus, ['a type with spaces', 'com.*.', 'a..>'], { group: 'some' })
      await collect(bus, 'start', { group: 'g' }, () => ({ emit }))
      await collect(bus, 'end', { group: 'h', retry: once, onDeadLetter: () => emit }, () => {
        throw new Error('no')
      })
      await bus.publishBatch([{ type: 'start' }, { type: 'end' }, ...emit])
      await inbox.waitFor(2 + 3 * types.length)
      const handled = inbox.events.map(({ type }) => type).toSorted()
      assert.deepEqual(handled, ['start', 'end', ...types, ...types, ...types].toSorted())
      await spaced.inbox.waitFor(9)
      await eventually('the dead letter', async () => (await bus.deadLetters.list()).total === 1)
      for (const type of types) {
        const { events, total } = await bus.list({ type })
        assert.equal(total, 3, type)
        assert.equal((await bus.get(events[0]!.event.id))?.event.type, type)
      }
    },
  ),

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
    const [, one, , other] = await Promise.all([
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
      bus.deadLetters.redrive(),
      bus.replay({ id: 'x' }),
    ])
    assert.ok(one.deliveries + other.deliveries <= 1, 'one event was said to be delivered twice')
    for (const _ of [1, 2]) {
      assert.deepEqual(await bus.replay({ id: 'x' }), { events: 1, deliveries: 0 })
    }
    assert.equal((await bus.deadLetters.list()).total, 0)
    const { inbox } = await collect(bus, 'a', options)
    await bus.publish({ type: 'a', id: 'last' })
    await inbox.waitFor(2)
    await eventually('success', async () => (await bus.getStats()).delivered === 2)
    assert.deepEqual(inbox.ids.toSorted(), ['last', 'x'])
    assert.equal(inbox.deliveries.find(({ event }) => event.id === 'x')?.replay, 1)
  }),

  withBus(
    'a replay of an event that waits is one delivery, and replays of it are none',
    async (bus) => {
      const { subscription } = await collect(bus, 'a', { group: 'g' })
      await subscription.close()
      await bus.publish({ type: 'a', id: 'x' })
      assert.deepEqual(await bus.replay({ id: 'x' }), { events: 1, deliveries: 1 })
      assert.deepEqual(await bus.replay({ id: 'x' }), { events: 1, deliveries: 0 })
      const { inbox } = await collect(bus, 'a', { group: 'g' })
      await bus.publish({ type: 'a', id: 'last' }, { delayMs: 300 })
      await inbox.waitFor(2)
      assert.deepEqual(inbox.ids, ['x', 'last'])
      assert.equal(inbox.deliveries[0]!.replay, 1)
    },
  ),

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
