import { type ConsumerInfo, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type DeliveryContext, EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats } from '@nexus/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'
import { emptyConsumerFile } from './empty-consumer-file.js'

const PATIENCE = { timeout: 60_000 }
/** More than the group's settled bound runs ahead. */
const SETTLED = 1_500

const kinds = [
  { kind: 'without order', options: {} },
  { kind: 'with an ordering key', options: { orderingKey: 'subject' } },
]

describe.skipIf(!hasNats())('a server that forgot what a group had acked', () => {
  let server: ServerProcess
  let handled: string[]

  beforeEach(async () => {
    server = await startNats()
    handled = []
  })
  afterEach(() => server.stop())

  const open = () =>
    EventBus.open({
      store: natsStore({ servers: [`nats://${server.address}`], requestTimeoutMs: 2_000 }),
    })

  const handler = ({ event, attempt, replay }: DeliveryContext) => {
    handled.push(`${event.id}/${replay}`)
    if (event.id === 'dead') throw Object.assign(new Error('no'), { retryable: false })
    if (event.id === 'later' && attempt === 1) throw new Error('not yet')
    if (event.id === 'redriven' && handled.indexOf('redriven/0') === handled.length - 1) {
      throw Object.assign(new Error('not yet'), { retryable: false })
    }
  }

  async function subscribe(bus: EventBus, options: Partial<SubscribeOptions>) {
    const subscription = bus.subscribe('a', handler, {
      group: 'g',
      retry: { maxAttempts: 2, baseDelayMs: 3_600_000, maxDelayMs: 3_600_000 },
      ...options,
    })
    await subscription.ready
    return subscription
  }

  /** Settles what it publishes, in all the ways there are; answers what was handled. */
  async function settleAll(bus: EventBus, options: Partial<SubscribeOptions>): Promise<string[]> {
    const subscription = await subscribe(bus, options)
    const settled = async (count: number) => {
      const all = () => {
        const { succeeded, deadLettered, retried } = subscription.getStats()
        return succeeded + deadLettered + retried
      }
      await expect.poll(all, PATIENCE).toBe(count)
    }
    const ids = Array.from({ length: SETTLED }, (_, n) => `e${n}`)
    await bus.publishBatch(ids.map((id) => ({ type: 'a', id, subject: id })))
    const others = ['dead', 'redriven', 'replayed', 'later']
    await bus.publishBatch(others.map((id) => ({ type: 'a', id, subject: id })))
    await settled(SETTLED + 4)
    await bus.replay({ id: 'replayed' })
    await bus.deadLetters.redrive({ id: 'redriven' })
    await settled(SETTLED + 6)
    const expected = [...ids, ...others, 'redriven', 'replayed'].map((id) => `${id}/0`)
    expected[expected.length - 1] = 'replayed/1'
    expect(handled.toSorted()).toEqual(expected.toSorted())
    return expected
  }

  /** The server empties the file of a consumer before it writes it again; here it dies in between. */
  async function killWhileItWrites(): Promise<void> {
    await server.kill()
    emptyConsumerFile(server, 'nexus_events', 'g')
    await server.restart()
  }

  async function consumerInfo(): Promise<ConsumerInfo> {
    const connection = await connect({ servers: [`nats://${server.address}`] })
    const manager = await jetstreamManager(connection)
    const consumer = await consumerNameIn(manager, 'nexus_events', 'g')
    const info = await manager.consumers.info('nexus_events', consumer)
    await connection.close()
    return info
  }

  /** Publishes one more; answers what was handled once the server has nothing to hand out any more. */
  async function goOn(bus: EventBus, waiting: number): Promise<string[]> {
    const published = () => bus.publish({ type: 'a', id: 'new', subject: 'new' }).then(() => true)
    await expect.poll(() => published().catch(() => false), PATIENCE).toBe(true)
    const left = async () => {
      const { num_pending, num_ack_pending } = await consumerInfo()
      return num_pending + num_ack_pending
    }
    await expect.poll(left, PATIENCE).toBe(waiting)
    return handled.toSorted()
  }

  it.each(kinds)(
    'has none of it handled again by the process that settled it: $kind',
    async ({ options }) => {
      const bus = await open()
      const expected = await settleAll(bus, options)
      await killWhileItWrites()
      // The retry is not due for an hour.
      expect(await goOn(bus, 1)).toEqual([...expected, 'new/0'].toSorted())
      expect(await bus.get('later')).toMatchObject({ deliveries: [{ status: 'retrying' }] })
      await bus.close()
    },
    200_000,
  )

  it.each(kinds)(
    'has none of it handled again by a new process: $kind',
    async ({ options }) => {
      const first = await open()
      const expected = await settleAll(first, options)
      await first.close()
      await killWhileItWrites()
      const bus = await open()
      await subscribe(bus, options)
      // An ordered group keeps its retries in the process: the new one need not wait.
      const [waiting, retried] = 'orderingKey' in options ? [0, ['later/0']] : [1, []]
      expect(await goOn(bus, waiting)).toEqual([...expected, ...retried, 'new/0'].toSorted())
      await bus.close()
    },
    200_000,
  )

  it('delivers a replay whose process died before there was a message for it', async () => {
    const bus = await open()
    await subscribe(bus, {})
    await bus.publish({ type: 'a', id: 'later' })
    const status = async () => (await bus.get('later'))?.deliveries[0]?.status
    await expect.poll(status, PATIENCE).toBe('retrying')
    const eventAtMs = Date.parse((await bus.get('later'))!.publishedAt)
    const half = { status: 'pending', eventAtMs, attempts: 0, replays: 1, updatedAtMs: Date.now() }
    const connection = await connect({ servers: [`nats://${server.address}`] })
    const record = JSON.stringify({ ...half, redelivery: true })
    await jetstream(connection).publish('nexus.delivery.g.1', record)
    await connection.close()
    await killWhileItWrites()
    await expect.poll(() => handled, PATIENCE).toEqual(['later/0', 'later/1'])
    await bus.close()
  }, 200_000)
})
