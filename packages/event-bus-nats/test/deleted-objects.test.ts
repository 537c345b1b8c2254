import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type DeliveryContext, EventBus } from '@nexus/event-bus'
import { NatsCacheTier, natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'

const PATIENCE = { timeout: 30_000 }

/** What the store makes on the server, and what is said when it is deleted. */
const OBJECTS: Record<string, { said: boolean; lost?: 'events' | 'records' }> = {
  'stream nexus_events': { said: true, lost: 'events' },
  'stream nexus_state': { said: true, lost: 'records' },
  'stream nexus_redelivery': { said: true },
  'stream nexus_lease': { said: true },
  // Holds what lasts for seconds.
  'stream nexus_presence': { said: false },
  'consumer nexus_events plain': { said: true },
  'consumer nexus_events ordered': { said: true },
  'consumer nexus_redelivery plain': { said: true },
  'consumer nexus_redelivery ordered': { said: true },
  'consumer nexus_redelivery plain=parked': { said: true },
}

async function manage(server: ServerProcess): Promise<JetStreamManager> {
  const connection = await connect({ servers: [`nats://${server.address}`] })
  onTestFinished(() => connection.close())
  return jetstreamManager(connection)
}

/** Without the time at which its stream was made. */
function withoutTime(consumer: string): string {
  return consumer.replace(/=[^=]*$/, '')
}

async function objectsOf({ streams, consumers }: JetStreamManager): Promise<string[]> {
  const found: string[] = []
  for await (const { config } of streams.list()) {
    found.push(`stream ${config.name}`)
    for await (const { name } of consumers.list(config.name)) {
      found.push(`consumer ${config.name} ${withoutTime(name)}`)
    }
  }
  return found.toSorted()
}

/** A bus with events that were handled, are in flight, wait behind them, are delayed, and wait for other processes. */
async function startBus(server: ServerProcess) {
  const handled: Record<string, string[]> = { plain: [], ordered: [] }
  const said: string[] = []
  let openGate = (): void => {}
  const opened = new Promise<void>((resolve) => {
    openGate = resolve
  })
  const subscribe = async (patterns: string[], group: string, orderingKey?: string) => {
    const bus = await EventBus.open({ store: natsStore({ servers: [`nats://${server.address}`] }) })
    onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
    bus.on('error', (error) => said.push(String(error)))
    const handler = async ({ event }: DeliveryContext) => {
      if (event.id === 'in-flight') await opened
      handled[group]!.push(event.id)
    }
    const options = { group, ackWaitMs: 2_000, ...(orderingKey !== undefined && { orderingKey }) }
    await bus.subscribe(patterns, handler, options).ready
    return bus
  }
  const bus = await subscribe(['a'], 'plain')
  const newer = await subscribe(['a', 'b'], 'plain')
  await newer.close()
  await subscribe(['o'], 'ordered', 'subject')
  const publish = (type: string, id: string) => bus.publish({ type, id, subject: 'k' })
  await publish('a', 'first')
  await expect.poll(() => handled.plain, PATIENCE).toEqual(['first'])
  await bus.publish({ type: 'a', id: 'delayed' }, { delayMs: 5_000 })
  for (const id of ['parked-1', 'parked-2']) await publish('b', id)
  await publish('o', 'in-flight')
  for (const id of ['behind-1', 'behind-2']) await publish('o', id)
  const running = async () =>
    (await bus.getStats()).subscriptions.length + (await bus.getStats()).store.groups.length
  await expect.poll(running, PATIENCE).toBe(3)
  return { bus, handled, said, openGate, publish, subscribe }
}

describe.skipIf(!hasNats())('a bus on NATS whose streams and consumers are deleted', () => {
  for (const [object, { said: isSaid, lost }] of Object.entries(OBJECTS)) {
    it(`goes on when the ${object} is deleted, and says so`, async () => {
      const server = await untilTestEnds(startNats())
      const manager = await manage(server)
      const { bus, handled, said, openGate, publish, subscribe } = await startBus(server)
      // Each object is there, or its case would show nothing; a new one is to be listed.
      const objects = () => objectsOf(manager)
      await expect.poll(objects, PATIENCE).toEqual(Object.keys(OBJECTS).toSorted())
      said.length = 0
      const [kind, stream, consumer] = object.split(' ') as [string, string, string]
      if (kind === 'stream') await manager.streams.delete(stream)
      else {
        await manager.consumers.delete(stream, await consumerNameIn(manager, stream, consumer))
      }

      if (isSaid)
        await expect.poll(() => said.join('\n'), PATIENCE).toMatch(/does not have what it had/)
      await expect.poll(objects, PATIENCE).toEqual(Object.keys(OBJECTS).toSorted())
      await expect.poll(() => bus.getReadiness(), PATIENCE).toEqual({ ready: true })
      openGate()
      await subscribe(['a', 'b'], 'plain')
      const publishes = (type: string, id: string) => () =>
        publish(type, id).then(Boolean, () => false)
      await expect.poll(publishes('a', 'after-a'), PATIENCE).toBe(true)
      await expect.poll(publishes('o', 'after-o'), PATIENCE).toBe(true)

      const missing = () =>
        [...(lost === undefined ? ['delayed', 'parked-1', 'parked-2'] : []), 'after-a'].filter(
          (id) => !handled.plain!.includes(id),
        )
      await expect.poll(missing, PATIENCE).toEqual([])
      const ordered = () => [...new Set(handled.ordered)].filter((id) => id !== 'in-flight')
      await expect.poll(() => ordered().at(-1), PATIENCE).toBe('after-o')
      const all = ['behind-1', 'behind-2', 'after-o']
      // What a process had fetched it may handle, though the event is lost.
      if (lost === 'events') expect(all.filter((id) => ordered().includes(id))).toEqual(ordered())
      else expect(ordered()).toEqual(all)
      // The records say what was handled: without them it may come again.
      if (lost !== 'records') expect(handled.plain!.filter((id) => id === 'first')).toHaveLength(1)
      if (!isSaid) expect(said.join('\n')).toBe('')
    }, 120_000)
  }

  it('makes the bucket of the compile cache again', async () => {
    const server = await untilTestEnds(startNats())
    const manager = await manage(server)
    const tier = new NatsCacheTier({ servers: [`nats://${server.address}`] })
    onTestFinished(() => tier.close())
    await tier.put('key', new Uint8Array([1]))
    await manager.streams.delete('KV_nexus_compile_cache')
    expect(await tier.get('key')).toBe(undefined)
    await tier.put('key', new Uint8Array([2]))
    expect(new Uint8Array((await tier.get('key'))!)).toEqual(new Uint8Array([2]))
  })
})
