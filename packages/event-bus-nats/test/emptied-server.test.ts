import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type DeliveryContext, EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats } from '@nexus/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'

const PATIENCE = { timeout: 20_000 }

const losses: { loss: string; lose(server: ServerProcess, bus: EventBus): Promise<void> }[] = [
  {
    loss: 'came back empty',
    lose: async (server) => {
      await server.kill()
      rmSync(join(server.directory, 'jetstream'), { recursive: true })
      await server.restart()
    },
  },
  ...['events', 'state', 'redelivery', 'lease'].map((stream) => ({
    loss: `lost its stream of ${stream}`,
    lose: (server: ServerProcess) =>
      manage(server, async ({ streams }) => {
        await streams.delete(`nexus_${stream}`)
      }),
  })),
  ...[['events'], ['redelivery'], ['events', 'redelivery']].map((streams) => ({
    loss: `lost the consumers of ${streams.join(' and ')}`,
    lose: (server: ServerProcess) =>
      manage(server, async (manager) => {
        for (const stream of streams.map((name) => `nexus_${name}`)) {
          await manager.consumers.delete(stream, await consumerNameIn(manager, stream, 'g'))
        }
      }),
  })),
  {
    loss: 'was told by another process to remove the group',
    lose: async (server) => {
      const other = await EventBus.open({
        store: natsStore({ servers: [`nats://${server.address}`] }),
      })
      await other.removeGroup('g')
      await other.close()
    },
  },
]

const kinds: { kind: string; options: Partial<SubscribeOptions> }[] = [
  { kind: 'without order', options: {} },
  { kind: 'with an ordering key', options: { orderingKey: 'subject' } },
]

async function manage(
  server: ServerProcess,
  body: (manager: JetStreamManager, connection: NatsConnection) => Promise<void>,
): Promise<void> {
  const connection = await connect({ servers: [`nats://${server.address}`] })
  await body(await jetstreamManager(connection), connection)
  await connection.close()
}

describe.skipIf(!hasNats())('a bus on a NATS server', () => {
  let server: ServerProcess
  let bus: EventBus

  beforeEach(async () => {
    server = await startNats()
    bus = await EventBus.open({ store: natsStore({ servers: [`nats://${server.address}`] }) })
  })
  afterEach(async () => {
    await bus.close({ drainTimeoutMs: 100 })
    await server.stop()
  })

  describe.each(losses)('that $loss', ({ lose }) => {
    it.each(kinds)(
      'says so, makes again what is gone, and handles what comes then: $kind',
      async ({ options }) => {
        const handled: string[] = []
        const errors: string[] = []
        bus.on('error', (error) => errors.push((error as { code?: string }).code ?? ''))
        const handler = ({ event }: DeliveryContext) => void handled.push(event.id)
        await bus.subscribe('a', handler, { group: 'g', ackWaitMs: 2_000, ...options }).ready
        const publish = (id: string) => bus.publish({ type: 'a', id, subject: 'k' })
        for (const id of ['0', '1', '2']) await publish(id)
        await expect.poll(() => handled, PATIENCE).toEqual(['0', '1', '2'])
        await lose(server, bus)
        await expect.poll(() => errors.join('\n'), PATIENCE).toContain('STORE_EMPTIED')
        const published = () => publish('3').then(Boolean, () => false)
        await expect.poll(published, PATIENCE).toBe(true)
        await expect.poll(() => handled, PATIENCE).toEqual(['0', '1', '2', '3'])
        const store = async () => (await bus.getStats()).store
        await expect.poll(store, PATIENCE).toMatchObject({
          connected: true,
          groups: [{ group: 'g' }],
        })
        await bus.replay({ id: '3' })
        await expect.poll(() => handled, PATIENCE).toEqual(['0', '1', '2', '3', '3'])
      },
      100_000,
    )
  })

  /** Deletes all streams, and lets a process that knew nothing of them make them again and publish. */
  async function startAgain(ids: readonly string[]): Promise<void> {
    await manage(server, async ({ streams }) => {
      for await (const name of streams.names()) await streams.delete(name)
    })
    const other = await EventBus.open({
      store: natsStore({ servers: [`nats://${server.address}`] }),
    })
    for (const id of ids) await other.publish({ type: 'a', id, subject: 'k' })
    await other.close()
  }

  it('does not end an event by a late ack of a lost one that had its sequence', async () => {
    const subscribe = (to: EventBus, handler: (delivery: DeliveryContext) => Promise<void>) =>
      to.subscribe('a', handler, { group: 'g', ackWaitMs: 2_000 }).ready
    const again: string[] = []
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let lost = 0
    bus.on('error', (error) => {
      if ((error as { code?: string }).code === 'CLAIM_LOST') lost += 1
    })
    await subscribe(bus, async ({ event }) => {
      again.push(event.id)
      if (event.id === 'old') await finished
    })
    await bus.publish({ type: 'a', id: 'old' })
    await expect.poll(() => again, PATIENCE).toEqual(['old'])
    await startAgain([])
    // All that it writes has the sequences of what the first process wrote before.
    const other = await EventBus.open({
      store: natsStore({ servers: [`nats://${server.address}`] }),
    })
    const started: string[] = []
    await subscribe(other, async ({ event }) => {
      started.push(event.id)
      await new Promise(() => {})
    })
    await other.publish({ type: 'a', id: 'new' })
    await expect.poll(() => started, PATIENCE).toEqual(['new'])
    finish()
    await expect.poll(async () => (await bus.getStats()).delivered + lost, PATIENCE).toBe(1)
    await other.close({ drainTimeoutMs: 1 })
    await expect.poll(() => again, PATIENCE).toEqual(['old', 'new'])
  }, 100_000)

  it.each(kinds)(
    'does not look for new events behind the place of lost ones: $kind',
    async ({ options }) => {
      const handled: string[] = []
      const handler = ({ event }: DeliveryContext) => void handled.push(event.id)
      await bus.subscribe('a', handler, { group: 'g', ackWaitMs: 2_000, ...options }).ready
      for (const id of ['0', '1', '2']) await bus.publish({ type: 'a', id, subject: 'k' })
      await expect.poll(() => handled, PATIENCE).toEqual(['0', '1', '2'])
      await startAgain(['3', '4', '5', '6'])
      await expect.poll(() => handled.slice(3), PATIENCE).toEqual(['3', '4', '5', '6'])
    },
    100_000,
  )
})
