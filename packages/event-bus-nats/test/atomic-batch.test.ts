import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, startNats } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'

const batch = (prefix: string) =>
  Array.from({ length: 500 }, (_, n) => ({ type: 'a', data: `${prefix}${n}` }))

it.skipIf(!hasNats())('a batch is stored together where the server can', async (context) => {
  const server = await startNats()
  const store = natsStore({ servers: [`nats://${server.address}`] })
  const bus = await EventBus.open({ store })
  onTestFinished(async () => {
    await bus.close()
    await server.stop()
  })
  const { serverVersion, atomicBatches } = (await bus.getStats()).store.details
  if (atomicBatches !== true) {
    console.warn(`SKIPPED: nats-server ${serverVersion} has no atomic batches, 2.12 has them`)
    context.skip()
  }
  const batches = await Promise.all(['x', 'y', 'z'].map((name) => bus.publishBatch(batch(name))))
  for (const results of batches) {
    const first = results[0]!.sequence
    expect(results.map(({ sequence }) => sequence)).toEqual(results.map((_, i) => first + i))
  }
  expect((await bus.list({ limit: 1 })).total).toBe(1500)
  const { id, sequence } = batches[1]![250]!
  expect(await bus.get(id)).toMatchObject({ sequence, event: { data: 'y250' } })
  const again = await bus.publish({ type: 'a', id })
  expect(again).toMatchObject({ duplicate: true, sequence })
})

it.skipIf(!hasNats())('more batches at once than the server takes are all stored', async () => {
  const server = await startNats()
  const store = natsStore({ servers: [`nats://${server.address}`] })
  const bus = await EventBus.open({ store })
  onTestFinished(async () => {
    await bus.close()
    await server.stop()
  })
  const pairs = Array.from({ length: 200 }, (_, n) => [
    { type: 'a', data: n },
    { type: 'b', data: n },
  ])
  const stored = await Promise.all(pairs.map((pair) => bus.publishBatch(pair)))
  expect(new Set(stored.flat().map(({ sequence }) => sequence)).size).toBe(400)
  expect((await bus.list({ limit: 1 })).total).toBe(400)
})
