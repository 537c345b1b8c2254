import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { EventBus, type EventBusStats } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNatsCluster } from '@nexus/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** Elections on a busy machine may take long. */
const PATIENCE = { timeout: 120_000, interval: 50 }

describe.skipIf(!hasNats())('a bus on a NATS cluster', () => {
  let nodes: ServerProcess[]

  beforeEach(async () => {
    nodes = await startNatsCluster(3)
  })

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  })

  const servers = () => nodes.map(({ address }) => `nats://${address}`)

  /** The cluster takes streams once its servers have met and chosen. */
  async function openBus(): Promise<EventBus> {
    for (;;) {
      try {
        return await EventBus.open({
          store: natsStore({ servers: servers(), replicas: 3, requestTimeoutMs: 2_000 }),
        })
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }

  async function leaderOf(stream: string): Promise<ServerProcess> {
    const connection = await connect({ servers: servers() })
    const manager = await jetstreamManager(connection)
    const { cluster } = await manager.streams.info(stream)
    await connection.close()
    return nodes[Number(cluster?.leader?.slice('node-'.length))]!
  }

  it('loses nothing that was acked when the leader of its stream is killed, and goes on by itself', async () => {
    const bus = await openBus()
    const handled: Record<string, string[]> = { any: [], ordered: [] }
    for (const [group, options] of [
      ['any', {}],
      ['ordered', { orderingKey: 'subject' }],
    ] as const) {
      const note = ({ event }: { event: { id: string } }) => {
        handled[group]!.push(event.id)
      }
      await bus.subscribe('load', note, { group, ackWaitMs: 3_000, ...options }).ready
    }
    const acked: string[] = []
    let stop = false
    const publisher = (async () => {
      for (let n = 0; !stop; n++) {
        const event = { type: 'load', id: `e${n}`, subject: 'one' }
        // The same id is published until it is acked.
        while ((await bus.publish(event).catch(() => undefined)) === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        acked.push(event.id)
      }
    })()

    await expect.poll(() => acked.length, PATIENCE).toBeGreaterThan(50)
    const leader = await leaderOf('nexus_events')
    await leader.kill()
    const before = acked.length
    await expect.poll(() => acked.length, PATIENCE).toBeGreaterThan(before + 50)
    await leader.restart()
    const after = acked.length
    await expect.poll(() => acked.length, PATIENCE).toBeGreaterThan(after + 50)
    stop = true
    await publisher

    for (const group of ['any', 'ordered']) {
      const missing = () => {
        const seen = new Set(handled[group])
        return acked.filter((id) => !seen.has(id))
      }
      await expect.poll(missing, PATIENCE).toEqual([])
    }
    const firsts = [...new Set(handled.ordered)]
    expect(firsts).toEqual(acked)
    await expect
      .poll(() => bus.getStats().then(({ store }: EventBusStats) => store.events), PATIENCE)
      .toBe(acked.length)
    await bus.close({ drainTimeoutMs: 1_000 })
  }, 600_000)
})
