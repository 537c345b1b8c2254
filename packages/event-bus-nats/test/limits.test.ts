import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { EventBus } from '@nexus/event-bus'
import { type NatsStoreOptions, natsStore } from '@nexus/event-bus-nats'
import { hasNats, ServerProcess, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'

const PATIENCE = { timeout: 30_000 }

async function openBus(server: ServerProcess, options: NatsStoreOptions = {}): Promise<EventBus> {
  const store = natsStore({ servers: [`nats://${server.address}`], ...options })
  const bus = await EventBus.open({ store })
  onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
  return bus
}

async function manage(server: ServerProcess) {
  const connection = await connect({ servers: [`nats://${server.address}`] })
  onTestFinished(() => connection.close())
  return jetstreamManager(connection)
}

describe.skipIf(!hasNats())('the limits of a NATS server', () => {
  it('cut a result that does not fit into a message, and say so', async () => {
    const bus = await openBus(await untilTestEnds(startNats()))
    const record = { result: 'x'.repeat(2_000_000), logs: ['kept'] }
    await bus.subscribe('a', () => ({ record }), { group: 'g' }).ready
    await bus.publish({ type: 'a', id: 'x' })
    const delivery = async () => (await bus.get('x'))?.deliveries[0]
    await expect.poll(delivery, PATIENCE).toMatchObject({
      status: 'succeeded',
      record: expect.anything(),
    })
  })

  it('refuse an event that leaves no room for its headers, and none of its neighbours', async () => {
    const server = await untilTestEnds(startNats())
    const store = natsStore({ servers: [`nats://${server.address}`] })
    const bus = await EventBus.open({ store, maxEventBytes: 10_000_000 })
    onTestFinished(() => bus.close())
    const good = bus.publish({ type: 'a', id: 'good' })
    const bad = bus.publish({ type: 'a', id: 'bad', data: 'x'.repeat(1_048_400) })
    await expect(bad).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
    await expect(good).resolves.toMatchObject({ id: 'good', duplicate: false })
    const batch = [
      { type: 'a', id: 'first' },
      { type: 'a', data: 'x'.repeat(2_000_000) },
    ]
    await expect(bus.publishBatch(batch)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
    expect((await bus.list()).events.map(({ event }) => event.id)).toEqual(['good'])
  })

  it('make a dead letter of an event whose handler emits what does not fit, with the reason', async () => {
    const server = await untilTestEnds(startNats())
    const store = natsStore({ servers: [`nats://${server.address}`] })
    const bus = await EventBus.open({ store, maxEventBytes: 10_000_000 })
    onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
    const handled: string[] = []
    const handler = ({ event }: { event: { id: string } }) => {
      handled.push(event.id)
      const data = event.id === 'large' ? 'x'.repeat(2_000_000) : 'small'
      return { emit: [{ type: 'b', data }] }
    }
    const options = { group: 'g', orderingKey: 'subject', retry: { maxAttempts: 2 } }
    await bus.subscribe('a', handler, options).ready
    for (const id of ['large', 'small']) await bus.publish({ type: 'a', id, subject: 'k' })
    const letters = async () => (await bus.deadLetters.list()).deadLetters
    await expect.poll(letters, PATIENCE).toMatchObject([
      {
        event: { id: 'large' },
        error: { code: 'EVENT_TOO_LARGE', message: expect.stringMatching(/max_payload/) },
      },
    ])
    const emitted = async () =>
      (await bus.list({ type: 'b' })).events.map(({ event }) => event.data)
    await expect.poll(emitted, PATIENCE).toEqual(['small'])
    expect(handled.at(-1)).toBe('small')
  })

  it('do not make the server busy with an event that is due in nine years', async () => {
    const server = await untilTestEnds(startNats())
    const bus = await openBus(server)
    const handled: string[] = []
    await bus.subscribe('a', ({ event }) => void handled.push(event.id), { group: 'g' }).ready
    const farAway = new Date(Date.now() + 9 * 365 * 86_400_000)
    await bus.publish({ type: 'a', id: 'far' }, { deliverAt: farAway })
    const manager = await manage(server)
    const consumer = await consumerNameIn(manager, 'nexus_redelivery', 'g')
    const handedOut = async () =>
      (await manager.consumers.info('nexus_redelivery', consumer)).delivered.consumer_seq
    const postponed = async () => (await bus.get('far'))?.deliveries[0]?.nextAttemptAt
    await expect.poll(postponed, PATIENCE).toBe(farAway.toISOString())
    await bus.publish({ type: 'a', id: 'witness' }, { delayMs: 1_000 })
    await expect.poll(() => handled, PATIENCE).toEqual(['witness'])
    expect(await handedOut()).toBeLessThan(10)
  })

  it('keep dead letters when older events are removed', async () => {
    const bus = await openBus(await untilTestEnds(startNats()), { retention: { maxEvents: 2 } })
    const handler = ({ event }: { event: { id: string } }) => {
      if (event.id.startsWith('dead')) throw Object.assign(new Error('no'), { retryable: false })
    }
    await bus.subscribe('a', handler, { group: 'g' }).ready
    for (const id of ['dead-0', '1', '2', 'dead-3', '4', '5', '6']) {
      await bus.publish({ type: 'a', id })
    }
    const kept = async () => (await bus.list({ order: 'asc' })).events.map(({ event }) => event.id)
    await expect.poll(kept, PATIENCE).toEqual(['dead-0', 'dead-3', '5', '6'])
    expect((await bus.deadLetters.list()).total).toBe(2)
    await bus.deadLetters.purge()
    await bus.publish({ type: 'a', id: '7' })
    await expect.poll(kept, PATIENCE).toEqual(['6', '7'])
  })

  it('let consumers go on, and retention make room, when its disk is full', async () => {
    const server = await untilTestEnds(startNats())
    const bus = await openBus(server, { retention: { maxEvents: 20 } })
    const { streams } = await manage(server)
    const data = 'x'.repeat(1_000)
    await bus.publishBatch(Array.from({ length: 20 }, (_, n) => ({ type: 'a', id: `e${n}`, data })))
    const { config, state } = await streams.info('nexus_state')
    const full = { ...config, max_bytes: state.bytes + 1_500, discard: DiscardPolicy.New }
    const handled = new Set<string>()
    const subscription = bus.subscribe('a', ({ event }) => void handled.add(event.id), {
      group: 'g',
      start: 'beginning',
    })
    await subscription.ready
    subscription.pause()
    await streams.update('nexus_state', full)
    subscription.resume()
    await expect.poll(() => subscription.getStats().succeeded, PATIENCE).toBe(20)
    expect(handled.size).toBe(20)
  })
})

describe.skipIf(!hasNats())('the identity of an event on NATS', () => {
  it('is its source and its id together', async () => {
    const bus = await openBus(await untilTestEnds(startNats()), { duplicateWindowMs: 100 })
    const one = { type: 'a', source: '/one', id: '1', data: 1 }
    const two = { type: 'a', source: '/two', id: '1', data: 2 }
    expect(await bus.publish(one)).toMatchObject({ duplicate: false })
    expect(await bus.publish(two)).toMatchObject({ duplicate: false })
    expect(await bus.publish(one)).toMatchObject({ duplicate: true })
    expect(await bus.publish(two)).toMatchObject({ duplicate: true })
    expect((await bus.list()).total).toBe(2)
    await expect(bus.get('1')).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
    expect(await bus.get('1', '/two')).toMatchObject({ event: { data: 2 } })
  })

  it('has nothing to do with its type, also after the window of the server', async () => {
    const bus = await openBus(await untilTestEnds(startNats()), { duplicateWindowMs: 100 })
    const { sequence } = await bus.publish({ type: 'a', source: '/s', id: '1' })
    const untilMs = performance.now() + 500
    while (performance.now() < untilMs) {
      const again = await bus.publish({ type: 'b', source: '/s', id: '1' })
      expect(again).toEqual({ id: '1', sequence, duplicate: true })
    }
    expect((await bus.list()).total).toBe(1)
  })

  it('is refused where it is no text: halves of surrogate pairs would all be the same', async () => {
    const bus = await openBus(await untilTestEnds(startNats()))
    for (const half of ['\ud800', '\udc00', 'x\ud83d']) {
      await expect(bus.publish({ type: 'a', id: half })).rejects.toMatchObject({
        code: 'INVALID_EVENT',
      })
    }
    expect((await bus.list()).total).toBe(0)
  })

  it('tells dead letters of two sources apart', async () => {
    const bus = await openBus(await untilTestEnds(startNats()))
    const fails = () => {
      throw new Error('no')
    }
    await bus.subscribe('a', fails, { group: 'g', retry: { maxAttempts: 1 } }).ready
    for (const source of ['/one', '/two']) await bus.publish({ type: 'a', source, id: '1' })
    const total = async () => (await bus.deadLetters.list()).total
    await expect.poll(total, PATIENCE).toBe(2)
    await expect(bus.deadLetters.list({ id: '1' })).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
    expect((await bus.deadLetters.list({ source: '/two' })).total).toBe(1)
    const { deadLetters } = await bus.deadLetters.list({ id: '1', source: '/one' })
    expect(deadLetters.map(({ event }) => event.source)).toEqual(['/one'])
    expect(await bus.deadLetters.purge({ source: '/one' })).toBe(1)
    expect((await bus.deadLetters.list()).deadLetters[0]?.event.source).toBe('/two')
  })
})

describe.skipIf(!hasNats())('a stream on NATS that differs from the options', () => {
  it('has another duplicate window: that is said, with what to do', async () => {
    const server = await untilTestEnds(startNats())
    await (await openBus(server)).close()
    const options = { duplicateWindowMs: 5_000 }
    const refused = await openBus(server, options).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'INVALID_OPTIONS' })
    expect(String(refused)).toContain('duplicateWindowMs: expected 120000')
    expect(String(refused)).toContain('nats stream edit')
  })

  it('cannot have more replicas than servers: the error says so, with what to do', async () => {
    const server = await untilTestEnds(startNats())
    await (await openBus(server)).close()
    const refused = await openBus(server, { replicas: 3 }).catch((error: unknown) => error)
    expect(String(refused)).toContain('set `replicas` to at most')
  })

  it('takes the same subjects: that is said, with what to do', async () => {
    const server = await untilTestEnds(startNats())
    const { streams } = await manage(server)
    await streams.add({ name: 'other', subjects: ['nexus.>'] })
    const refused = await openBus(server).catch((error: unknown) => error)
    expect(String(refused)).toMatch(/overlap.*prefix/)
  })

  it('cannot be made without JetStream: that is said, with what to do', async () => {
    const server = await untilTestEnds(
      ServerProcess.start({
        command: process.env.NEXUS_NATS_SERVER ?? 'nats-server',
        args: (port) => ['-a', '127.0.0.1', '-p', String(port)],
        answers: (port) =>
          connect({ servers: `127.0.0.1:${port}` }).then(
            (connection) => connection.close().then(() => true),
            () => false,
          ),
      }),
    )
    const refused = await openBus(server).catch((error: unknown) => error)
    expect(String(refused)).toContain('nats-server -js')
  })
})
