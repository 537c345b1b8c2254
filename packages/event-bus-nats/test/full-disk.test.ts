import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'

const PATIENCE = { timeout: 60_000 }

it.skipIf(!hasNats())(
  'says that a server is full, hands out what it has, and takes events again once retention has made room',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nexus-test-full-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const config = join(directory, 'server.conf')
    writeFileSync(config, 'jetstream: { max_file_store: 4MB }\n')
    const { address } = await untilTestEnds(startNats(['-c', config]))
    const open = async (retention: { maxEvents?: number }) => {
      const store = natsStore({ servers: [`nats://${address}`], retention })
      const bus = await EventBus.open({ store })
      onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
      return bus
    }
    const bus = await open({})
    // The group exists before the server is full, and has handled nothing.
    const group = bus.subscribe('b', () => {}, { group: 'late' })
    await group.ready
    await group.close()
    const data = 'x'.repeat(100_000)
    let stored = 0
    const fill = async (): Promise<unknown> => {
      for (;;) {
        const error = await bus.publish({ type: 'b', data }).then(
          () => undefined,
          (cause: unknown) => cause,
        )
        if (error !== undefined) return error
        stored += 1
      }
    }
    const refused = await fill()
    expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(String(refused)).toContain('the store is full')
    expect(stored).toBeGreaterThan(10)

    const swept = await open({ maxEvents: 5 })
    const handled = new Set<string>()
    await swept.subscribe('b', ({ event }) => void handled.add(event.id), { group: 'late' }).ready
    await expect.poll(() => handled.size, PATIENCE).toBeGreaterThanOrEqual(stored)
    const left = async () => (await swept.getStats()).store.events
    await expect.poll(left, PATIENCE).toBeLessThanOrEqual(5)
    const publishes = () =>
      swept.publish({ type: 'b', data }).then(
        () => true,
        () => false,
      )
    await expect.poll(publishes, PATIENCE).toBe(true)
  },
  180_000,
)
