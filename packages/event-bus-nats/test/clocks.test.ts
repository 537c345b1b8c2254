import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'

const PATIENCE = { timeout: 30_000 }
const HOUR_MS = 3_600_000
const libfaketime =
  process.env.NEXUS_LIBFAKETIME ?? '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

describe.skipIf(!hasNats())('a bus on NATS in a process whose clock steps', () => {
  afterEach(() => void vi.useRealTimers())

  it.each([1, -1])('delivers delayed events and retries in time after %i h', async (hours) => {
    const { address } = await untilTestEnds(startNats())
    const bus = await EventBus.open({ store: natsStore({ servers: [`nats://${address}`] }) })
    onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
    const attempts: string[] = []
    await bus.subscribe(
      'a',
      ({ event, attempt }) => {
        attempts.push(`${event.id} ${attempt}`)
        if (attempt < 3) throw new Error('not yet')
      },
      { group: 'g', retry: { maxAttempts: 3, baseDelayMs: 200, jitter: 0 } },
    ).ready
    await bus.publish({ type: 'a', id: 'before' }, { delayMs: 300 })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * HOUR_MS })
    await bus.publish({ type: 'a', id: 'after' }, { delayMs: 300 })
    const all = ['before', 'after'].flatMap((id) => [1, 2, 3].map((n) => `${id} ${n}`))
    await expect.poll(() => attempts.toSorted(), PATIENCE).toEqual(all.toSorted())
  })
})

it.skipIf(!hasNats() || !existsSync(libfaketime)).each(['+10m', '-10m'])(
  'delivers on time what a publisher whose clock is off by %s delays',
  async (offset) => {
    const { address } = await untilTestEnds(startNats())
    const bus = await EventBus.open({ store: natsStore({ servers: [`nats://${address}`] }) })
    onTestFinished(() => bus.close({ drainTimeoutMs: 100 }))
    const handled: string[] = []
    await bus.subscribe('a', ({ event }) => void handled.push(event.id), { group: 'g' }).ready
    const bundled = bundleWorker(join(import.meta.dirname, 'skewed-publisher.ts'))
    const { workerFile } = await untilTestEnds(bundled)
    const told: { now: number }[] = []
    const publisher = fork(workerFile, {
      env: {
        ...process.env,
        SKEWED_STORE: `nats://${address}`,
        LD_PRELOAD: libfaketime,
        FAKETIME: offset,
        DONT_FAKE_MONOTONIC: '1',
      },
    })
    onTestFinished(() => void publisher.kill('SIGKILL'))
    publisher.on('message', (message: { now: number }) => told.push(message))
    await expect.poll(() => told, PATIENCE).toHaveLength(1)
    expect(Math.abs(told[0]!.now - Date.now())).toBeGreaterThan(300_000)
    await expect.poll(() => handled, PATIENCE).toEqual(['x'])
    const { publishedAt, deliveries } = (await bus.get('x'))!
    const tookMs = Date.parse(deliveries[0]!.updatedAt) - Date.parse(publishedAt)
    expect(tookMs).toBeGreaterThan(400)
  },
  120_000,
)
