import { type ConsumerInfo, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type DeliveryContext, EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { type NatsStoreOptions, natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats } from '@nexus/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'
import { emptyConsumerFile } from './empty-consumer-file.js'

const PATIENCE = { timeout: 60_000 }
const DAY_MS = 86_400_000
const kinds = [
  { kind: 'without order', options: {} },
  { kind: 'with an ordering key', options: { orderingKey: 'subject' } },
]

describe.skipIf(!hasNats())('events on NATS that are not due', () => {
  let server: ServerProcess
  let bus: EventBus
  let handled: DeliveryContext[]

  const open = async (options: NatsStoreOptions = {}) => {
    const servers = [`nats://${server.address}`]
    bus = await EventBus.open({
      store: natsStore({ servers, requestTimeoutMs: 2_000, ...options }),
    })
  }
  const subscribe = async (options: Partial<SubscribeOptions> = {}) => {
    const handler = (delivery: DeliveryContext) => void handled.push(delivery)
    await bus.subscribe('a', handler, { group: 'g', ...options }).ready
  }
  const handledIds = () => handled.map(({ event }) => event.id)
  const publish = (ids: readonly string[], delayMs?: number) =>
    bus.publishBatch(
      ids.map((id) => ({ type: 'a', id, subject: id })),
      { delayMs },
    )
  /** The group has seen that the event is not due. */
  const postponed = async (id: string) => {
    const delivery = async () => (await bus.get(id))?.deliveries[0]
    await expect.poll(delivery, PATIENCE).toMatchObject({
      status: 'pending',
      nextAttemptAt: expect.any(String),
    })
  }

  beforeEach(async () => {
    server = await startNats()
    handled = []
    await open()
  })
  afterEach(async () => {
    await bus.close()
    await server.stop()
  })

  async function consumerOf(stream: string): Promise<ConsumerInfo> {
    const connection = await connect({ servers: [`nats://${server.address}`] })
    const manager = await jetstreamManager(connection)
    const info = await manager.consumers.info(stream, await consumerNameIn(manager, stream, 'g'))
    await connection.close()
    return info
  }

  it.each(kinds)(
    'do not keep a group from being done with the rest: $kind',
    async ({ options }) => {
      await subscribe(options)
      await publish(['later-0', 'later-1', 'later-2'], DAY_MS)
      await publish(['now-0', 'now-1'])
      await expect.poll(handledIds, PATIENCE).toEqual(['now-0', 'now-1'])
      const info = () => consumerOf('nexus_events')
      await expect.poll(async () => (await info()).ack_floor.stream_seq, PATIENCE).toBe(5)
      const { created } = await info()
      for (const id of ['later-0', 'later-1', 'later-2']) await postponed(id)
      expect((await bus.list({ status: 'pending' })).events).toHaveLength(3)

      await bus.close()
      await open()
      await subscribe(options)
      await publish(['now-2'])
      await expect.poll(handledIds, PATIENCE).toEqual(['now-0', 'now-1', 'now-2'])
      // An ordered group did not have to begin again at the first of them.
      expect((await info()).created).toBe(created)
    },
    200_000,
  )

  it('wait on the server alone where it can keep them', async (context) => {
    const { serverVersion, schedules } = (await bus.getStats()).store.details
    if (schedules !== true) {
      console.warn(`SKIPPED: nats-server ${serverVersion} has no message schedules, 2.12 has them`)
      context.skip()
    }
    await subscribe()
    const ids = Array.from({ length: 500 }, (_, n) => `later-${n}`)
    await publish(ids, DAY_MS)
    await postponed(ids.at(-1)!)
    const group = async () => (await bus.getStats()).store.groups[0]
    await expect.poll(group, PATIENCE).toMatchObject({ running: 0, scheduled: 500, behind: 0 })
    expect((await consumerOf('nexus_redelivery')).delivered.consumer_seq).toBe(0)
    await bus.close()
    await open()
    expect(await bus.removeGroup('g')).toBe(true)
    await subscribe()
    expect(await group()).toMatchObject({ running: 0, scheduled: 0, behind: 0 })
  }, 200_000)

  it.each(kinds)(
    'come once, when due, though everybody died: $kind',
    async ({ options }) => {
      await subscribe(options)
      await publish(['now'])
      const dueMs = Date.now() + 4_000
      await publish(['later'], 4_000)
      await postponed('later')
      await bus.close()
      await server.kill()
      for (const stream of ['nexus_events', 'nexus_redelivery']) {
        emptyConsumerFile(server, stream, 'g')
      }
      await server.restart()
      await open()
      await subscribe(options)
      await publish(['witness'], dueMs + 500 - Date.now())
      await expect.poll(handledIds, PATIENCE).toEqual(['now', 'later', 'witness'])
      expect(handled[1]!.attempt).toBe(1)
      const { deliveries } = (await bus.get('later'))!
      expect(Date.parse(deliveries[0]!.updatedAt)).toBeGreaterThanOrEqual(dueMs - 1)
    },
    200_000,
  )

  it('are replayed at once, and then do not come any more', async () => {
    await subscribe()
    await publish(['later'], 4_000)
    await postponed('later')
    await bus.replay({ id: 'later' })
    await expect.poll(handledIds, PATIENCE).toEqual(['later'])
    await publish(['witness'], 4_500)
    await expect.poll(handledIds, PATIENCE).toEqual(['later', 'witness'])
    expect(handled.map(({ replay }) => replay)).toEqual([1, 0])
  }, 200_000)

  it('are handled once when they are due almost at once', async () => {
    await subscribe({ concurrency: 50 })
    const delays = Array.from({ length: 300 }, (_, n) => n % 30)
    const all = delays.map((delayMs, n) => bus.publish({ type: 'a', id: `e${n}` }, { delayMs }))
    await Promise.all(all)
    const succeeded = async () => (await bus.list({ status: 'succeeded', limit: 500 })).events
    await expect.poll(async () => (await succeeded()).length, PATIENCE).toBe(300)
    expect(new Set(handledIds()).size).toBe(handled.length)
    expect(handled.filter(({ attempt }) => attempt !== 1)).toEqual([])
    const group = async () => (await bus.getStats()).store.groups[0]
    await expect.poll(group, PATIENCE).toMatchObject({ running: 0, scheduled: 0, behind: 0 })
    expect(await succeeded()).toHaveLength(300)
  }, 200_000)

  it('stay, and what came before them is removed, where old events are', async () => {
    await bus.close()
    await open({ retention: { maxEvents: 2 } })
    await subscribe()
    await publish(['before-0', 'before-1'])
    await publish(['later'], DAY_MS)
    await publish(['after-0', 'after-1'])
    await postponed('later')
    const kept = async () => (await bus.list({ order: 'asc' })).events.map(({ event }) => event.id)
    await expect.poll(kept, PATIENCE).toEqual(['later', 'after-0', 'after-1'])
    await bus.replay({ id: 'later' })
    await expect.poll(kept, PATIENCE).toEqual(['after-0', 'after-1'])
  }, 200_000)
})
