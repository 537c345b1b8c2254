import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'

describe.skipIf(!hasNats())('a group whose consumer the server has lost', () => {
  let server: ServerProcess

  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())

  const publish = async (bus: EventBus, from: number, to: number) => {
    for (let n = from; n < to; n++) {
      await bus.publish({ type: 'lost', id: `e${n}`, subject: 'k', data: n })
    }
  }

  it.each([
    ['with an ordering key', { orderingKey: 'subject' }],
    ['without order', {}],
  ] as [string, Omit<SubscribeOptions, 'group'>][])(
    'goes on, and handles nothing again: %s',
    async (_, options) => {
      const prefix = options.orderingKey === undefined ? 'lost' : 'lost-ordered'
      const handled: unknown[] = []
      const open = () =>
        EventBus.open({ store: natsStore({ servers: [`nats://${server.address}`], prefix }) })
      const subscribe = async (bus: EventBus) => {
        const handler = ({ event }: { event: { data?: unknown } }) => void handled.push(event.data)
        await bus.subscribe('lost', handler, { group: 'g', ackWaitMs: 2_000, ...options }).ready
      }

      const bus = await open()
      await subscribe(bus)
      await publish(bus, 0, 5)
      await expect.poll(() => handled.length, { timeout: 20_000 }).toBe(5)
      await bus.close()
      await deleteConsumer(`nats://${server.address}`, prefix, 'g')

      const again = await open()
      await publish(again, 5, 8)
      await subscribe(again)
      await expect.poll(() => handled.length, { timeout: 20_000 }).toBe(8)
      expect((await again.getStats()).store.groups).toMatchObject([{ group: 'g' }])
      await again.close()
      expect(handled).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    },
  )
})

/** What a torn file, or a death between deleting and adding, leaves. */
async function deleteConsumer(server: string, prefix: string, group: string): Promise<void> {
  const connection = await connect({ servers: [server] })
  const manager = await jetstreamManager(connection)
  const stream = `${prefix}_events`
  await manager.consumers.delete(stream, await consumerNameIn(manager, stream, group))
  await connection.close()
}
