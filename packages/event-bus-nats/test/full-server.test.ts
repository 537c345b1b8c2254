import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { EventBus, type EventHandler, type SubscribeOptions } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'

const PATIENCE = { timeout: 60_000 }
const DATA = 'x'.repeat(100_000)

async function startSmall(): Promise<ServerProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-test-full-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const config = join(directory, 'server.conf')
  writeFileSync(config, 'jetstream: { max_file_store: 4MB }\n')
  return untilTestEnds(startNats(['-c', config]))
}

async function openBus({ address }: ServerProcess, maxEvents?: number): Promise<EventBus> {
  const store = natsStore({ servers: [`nats://${address}`], retention: { maxEvents } })
  const bus = await EventBus.open({ store })
  onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
  return bus
}

const options = (isOrdered: boolean): SubscribeOptions => ({
  group: 'g',
  ackWaitMs: 3_000,
  retry: { maxAttempts: 3, baseDelayMs: 50, jitter: 0 },
  ...(isOrdered && { orderingKey: 'subject' }),
})

/** A group that has handled nothing, on a server that takes no more events; answers how many it has. */
async function fill(server: ServerProcess, isOrdered: boolean, limitEvents: boolean) {
  const bus = await openBus(server)
  const group = bus.subscribe('b', () => {}, options(isOrdered))
  await group.ready
  await group.close()
  if (limitEvents) {
    const connection = await connect({ servers: [server.address] })
    const { streams } = await jetstreamManager(connection)
    const { config } = await streams.info('nexus_events')
    const limits = { max_bytes: 2_000_000, discard: DiscardPolicy.New }
    await streams.update('nexus_events', { ...config, ...limits })
    await connection.close()
  }
  for (let stored = 0; ; stored++) {
    try {
      await bus.publish({ type: 'b', id: `e${stored}`, subject: 'k', data: DATA })
    } catch (error) {
      return { bus, stored, refused: error as Error }
    }
  }
}

describe.skipIf(!hasNats())('a NATS server that is full', () => {
  for (const isOrdered of [true, false]) {
    for (const limitEvents of [true, false]) {
      const kind = isOrdered ? 'with an ordering key' : 'without order'
      const limit = limitEvents ? 'max_bytes of its stream' : 'max_file_store'
      it(`by ${limit} is drained by a group ${kind}, in order, and freed by retention`, async () => {
        const server = await startSmall()
        const { bus, stored, refused } = await fill(server, isOrdered, limitEvents)
        expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' })
        expect(refused.message).toMatch(/is full/)
        expect(stored).toBeGreaterThan(10)
        // The process that fills it holds no lease: another one has to get it now.
        const consumer = await openBus(server, 5)
        const handled: string[] = []
        const handler: EventHandler = ({ event }) => void handled.push(event.id)
        await consumer.subscribe('b', handler, options(isOrdered)).ready
        const firsts = () => [...new Set(handled)]
        const all = Array.from({ length: stored }, (_, n) => `e${n}`)
        await expect.poll(() => firsts().length, PATIENCE).toBe(stored)
        if (isOrdered) expect(firsts()).toEqual(all)
        const left = async () => (await consumer.getStats()).store.events
        await expect.poll(left, PATIENCE).toBeLessThanOrEqual(5)
        const published = () =>
          bus
            .publish({ type: 'b', id: 'after', subject: 'k', data: DATA })
            .then(Boolean, () => false)
        await expect.poll(published, PATIENCE).toBe(true)
        await expect.poll(() => handled, PATIENCE).toContain('after')
      }, 180_000)
    }

    it(`lets handlers fail without holding up the others: ${isOrdered ? 'with' : 'without'} order`, async () => {
      const server = await startSmall()
      const { stored } = await fill(server, isOrdered, false)
      const consumer = await openBus(server, 5)
      const starts = new Map<string, number>()
      const handled = new Set<string>()
      const handler: EventHandler = ({ event: { id } }) => {
        starts.set(id, (starts.get(id) ?? 0) + 1)
        // More than there are slots.
        if (Number(id.slice(1)) < 12) throw new Error('poison')
        handled.add(id)
      }
      const concurrency = { ...options(isOrdered), concurrency: 4 }
      await consumer.subscribe('b', handler, concurrency).ready
      await expect.poll(() => handled.size, PATIENCE).toBe(stored - 12)
      // Nothing behind an event that waits for its dead letter is removed: the operator makes room.
      const connection = await connect({ servers: [server.address] })
      const { streams } = await jetstreamManager(connection)
      for (const sequence of [stored - 1, stored])
        await streams.deleteMessage('nexus_events', sequence)
      await connection.close()
      const letters = async () => (await consumer.deadLetters.list()).total
      await expect.poll(letters, PATIENCE).toBe(12)
      expect(Math.max(...starts.values())).toBeLessThanOrEqual(3)
    }, 180_000)
  }
})
