import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type DeliveryContext, EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { type NatsStoreOptions, natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'

const PATIENCE = { timeout: 60_000 }
const SECRET = 'born on 1970-02-03'

async function openBus(server: ServerProcess, options: NatsStoreOptions = {}): Promise<EventBus> {
  const store = natsStore({ servers: [`nats://${server.address}`], ...options })
  const bus = await EventBus.open({ store })
  onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
  return bus
}

/** Everything that the streams of a server hold, as text. */
async function everythingStored(server: ServerProcess): Promise<string> {
  const connection = await connect({ servers: [`nats://${server.address}`] })
  const manager = await jetstreamManager(connection)
  const parts: string[] = []
  for await (const { config, state } of manager.streams.list()) {
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await manager.streams.getMessage(config.name, { seq }).catch(() => null)
      if (message !== null) parts.push(`${message.subject} ${message.string()}`)
    }
  }
  await connection.close()
  return parts.join('\n')
}

const failing =
  (inbox: DeliveryContext[]) =>
  (delivery: DeliveryContext): never => {
    inbox.push(delivery)
    throw new Error(`no: ${String(delivery.event.data)}`)
  }

async function subscribed(
  bus: EventBus,
  group: string,
  options: Partial<SubscribeOptions> = {},
): Promise<DeliveryContext[]> {
  const inbox: DeliveryContext[] = []
  await bus.subscribe('a', (delivery) => void inbox.push(delivery), { ...options, group }).ready
  return inbox
}

describe.skipIf(!hasNats())('an event that was erased on NATS', () => {
  it('is in no stream any more, nor what handlers said of it', async () => {
    const server = await untilTestEnds(startNats())
    const bus = await openBus(server)
    const record = ({ event }: DeliveryContext) => ({ record: { result: event.data } })
    await bus.subscribe('a', record, { group: 'records' }).ready
    await bus.subscribe('a', failing([]), { group: 'fails', retry: { maxAttempts: 1 } }).ready
    const retry = { maxAttempts: 5, baseDelayMs: 600_000, maxDelayMs: 600_000 }
    await bus.subscribe('a', failing([]), { group: 'retries', retry }).ready
    await bus.publish({ type: 'a', id: 'x', subject: 'kept', data: SECRET })
    const statuses = async () =>
      (await bus.get('x'))?.deliveries.map(({ status }) => status).toSorted()
    const ends = ['dead-lettered', 'retrying', 'succeeded']
    await expect.poll(statuses, PATIENCE).toEqual(ends)
    expect(await everythingStored(server)).toContain(SECRET)

    expect(await bus.erase({ id: 'x', reason: 'asked for' })).toBe(true)
    expect(await everythingStored(server)).not.toContain(SECRET)
    expect(await statuses()).toEqual(ends)
    const { events } = await bus.list()
    expect(events).toMatchObject([{ event: { subject: 'kept' }, erased: { reason: 'asked for' } }])
    expect(await bus.deadLetters.list()).toMatchObject({
      total: 1,
      deadLetters: [{ event: { id: 'x' }, error: { message: 'erased' } }],
    })
  })

  it('comes to a group that has not had it, without data', async () => {
    const bus = await openBus(await untilTestEnds(startNats()))
    const first = bus.subscribe('a', () => {}, { group: 'g' })
    await first.ready
    await first.close()
    await bus.publish({ type: 'a', id: 'x', data: SECRET })
    await bus.publish({ type: 'a', id: 'delayed', data: SECRET }, { delayMs: 500 })
    for (const id of ['x', 'delayed']) await bus.erase({ id })
    const inbox = await subscribed(bus, 'g')
    await expect.poll(() => inbox.map(({ event }) => event.id), PATIENCE).toEqual(['x', 'delayed'])
    expect(inbox.map(({ event }) => event.data)).toEqual([undefined, undefined])
  })

  it('is replayed and redriven without data', async () => {
    const bus = await openBus(await untilTestEnds(startNats()))
    const failed: DeliveryContext[] = []
    await bus.subscribe('a', failing(failed), { group: 'g', retry: { maxAttempts: 1 } }).ready
    await bus.publish({ type: 'a', id: 'x', data: SECRET })
    const total = async () => (await bus.deadLetters.list()).total
    await expect.poll(total, PATIENCE).toBe(1)
    await bus.erase({ id: 'x' })
    for (const again of [() => bus.deadLetters.redrive(), () => bus.replay({ id: 'x' })]) {
      const before = failed.length
      await again()
      await expect.poll(() => failed.length, PATIENCE).toBe(before + 1)
      await expect.poll(total, PATIENCE).toBe(1)
    }
    expect(failed.map(({ event }) => event.data)).toEqual([SECRET, undefined, undefined])
  })

  it('leaves nothing of a handler that runs meanwhile', async () => {
    const server = await untilTestEnds(startNats())
    const bus = await openBus(server)
    const other = await openBus(server)
    let go = (): void => {}
    const erased = new Promise<void>((resolve) => {
      go = resolve
    })
    const running: string[] = []
    await bus.subscribe(
      'a',
      async ({ event }) => {
        running.push(event.id)
        await erased
        if (event.id === 'fails') throw Object.assign(new Error(SECRET), { retryable: false })
        return { record: { result: SECRET } }
      },
      { group: 'g', concurrency: 2 },
    ).ready
    for (const id of ['works', 'fails']) await bus.publish({ type: 'a', id, data: SECRET })
    await expect.poll(() => running.length, PATIENCE).toBe(2)
    for (const id of ['works', 'fails']) await other.erase({ id })
    go()
    const status = async (id: string) => (await bus.get(id))?.deliveries[0]?.status
    await expect.poll(() => status('works'), PATIENCE).toBe('succeeded')
    await expect.poll(() => status('fails'), PATIENCE).toBe('dead-lettered')
    expect(await everythingStored(server)).not.toContain(SECRET)
    expect(running).toHaveLength(2)
  })

  it('is known when its id is published again, whenever that is', async () => {
    const bus = await openBus(await untilTestEnds(startNats()), { duplicateWindowMs: 100 })
    const event = { type: 'a', id: 'x', source: '/s', data: SECRET }
    const { sequence } = await bus.publish(event)
    await bus.erase({ id: 'x' })
    // The server answers this while its window lasts, and the index after that.
    const untilMs = performance.now() + 500
    while (performance.now() < untilMs) {
      expect(await bus.publish(event)).toEqual({ id: 'x', sequence, duplicate: true })
    }
    expect((await bus.list()).total).toBe(1)
  })

  it('is removed by retention like any other', async () => {
    const server = await untilTestEnds(startNats())
    const bus = await openBus(server, { retention: { maxEvents: 2 } })
    for (const id of ['1', '2']) await bus.publish({ type: 'a', id })
    await bus.erase({ id: '1' })
    const kept = async () => (await bus.list({ order: 'asc' })).events.map(({ event }) => event.id)
    expect(await kept()).toEqual(['1', '2'])
    for (const id of ['3', '4']) await bus.publish({ type: 'a', id })
    await expect.poll(kept, PATIENCE).toEqual(['3', '4'])
    expect(await bus.get('1')).toBeUndefined()
    expect(await everythingStored(server)).not.toContain('.erased.')
  })
})
