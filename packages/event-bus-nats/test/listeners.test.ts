import { EventBus } from '@nexus/event-bus'
import { FaultProxy } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'

const PATIENCE = { timeout: 60_000 }
const GROUPS = 50

/** Warnings of this process from now on, such as that of too many listeners. */
function collectWarnings(): string[] {
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  return warnings
}

const open = async (port: number): Promise<EventBus> => {
  const bus = await EventBus.open({
    store: natsStore({ servers: [`nats://127.0.0.1:${port}`], requestTimeoutMs: 1_000 }),
  })
  onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
  return bus
}

describe.skipIf(!hasNats())('a bus on NATS adds no listeners without an end', () => {
  it('when it has 50 subscriptions', async () => {
    const warnings = collectWarnings()
    const { port } = await untilTestEnds(startNats())
    const bus = await open(port)
    const handled = new Set<string>()
    const subscriptions = Array.from({ length: GROUPS }, (_, n) =>
      bus.subscribe('a', () => void handled.add(`g${n}`), { group: `g${n}` }),
    )
    await Promise.all(subscriptions.map(({ ready }) => ready))
    await bus.publish({ type: 'a' })
    await expect.poll(() => handled.size, PATIENCE).toBe(GROUPS)
    expect(warnings).toEqual([])
  }, 120_000)

  it('when 50 settlements fail until the server is there again', async () => {
    const warnings = collectWarnings()
    const server = await untilTestEnds(startNats())
    const bus = await open(server.port)
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let running = 0
    const subscription = bus.subscribe(
      'a',
      async () => {
        running += 1
        await finished
      },
      { group: 'g', concurrency: GROUPS, ackWaitMs: 60_000 },
    )
    await subscription.ready
    let errors = 0
    await bus.publishBatch(Array.from({ length: GROUPS }, () => ({ type: 'a' })))
    await expect.poll(() => running, PATIENCE).toBe(GROUPS)
    await server.kill()
    bus.on('error', () => {
      errors += 1
    })
    finish()
    await expect.poll(() => errors, PATIENCE).toBeGreaterThan(2 * GROUPS)
    await server.restart()
    await expect.poll(() => subscription.getStats().succeeded, PATIENCE).toBe(GROUPS)
    expect(warnings).toEqual([])
  }, 120_000)

  it('when its connection is lost 100 times', async () => {
    const warnings = collectWarnings()
    const server = await untilTestEnds(startNats())
    const proxy = await FaultProxy.start(server.port)
    onTestFinished(() => proxy.close())
    const bus = await open(proxy.port)
    const handled: string[] = []
    await bus.subscribe('a', ({ event }) => void handled.push(event.id), { group: 'g' }).ready
    const ordered = { group: 'ordered', orderingKey: 'subject' }
    await bus.subscribe('a', () => {}, ordered).ready
    for (let n = 1; n <= 100; n++) {
      const connected = new Promise<void>((resolve) => bus.once('connected', resolve))
      if (n % 2 === 0) proxy.drop()
      else proxy.reset()
      proxy.flow()
      await connected
    }
    await bus.publish({ type: 'a', id: 'after' })
    await expect.poll(() => handled, PATIENCE).toContain('after')
    expect(warnings).toEqual([])
  }, 180_000)
})
