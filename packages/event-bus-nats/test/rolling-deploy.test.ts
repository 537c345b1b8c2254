import { fork } from 'node:child_process'
import { join } from 'node:path'
import { type DeliveryContext, EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import {
  bundleWorker,
  hasNats,
  type ServerProcess,
  startNats,
  untilTestEnds,
} from '@nexus/test-kit'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

const PATIENCE = { timeout: 60_000 }
const kinds: { kind: string; options: Partial<SubscribeOptions> }[] = [
  { kind: 'without order', options: {} },
  { kind: 'with an ordering key', options: { orderingKey: 'subject' } },
]

interface Process {
  /** Types and ids, in the order in which they were handled. */
  handled: string[]
  stop(): Promise<void>
}

describe.skipIf(!hasNats())('a group on NATS whose patterns change', () => {
  let server: ServerProcess
  let prefixes = 0
  let prefix: string
  const running = new Set<Process>()

  beforeAll(async () => {
    server = await startNats()
  })
  afterEach(async () => {
    for (const process of running) await process.stop()
  })
  afterAll(() => server.stop())

  const newGroup = (): void => {
    prefix = `deploy-${prefixes++}`
  }

  async function start(patterns: string[], options: Partial<SubscribeOptions>): Promise<Process> {
    const servers = [`nats://${server.address}`]
    const bus = await EventBus.open({ store: natsStore({ servers, prefix }) })
    const handled: string[] = []
    const handler = ({ event }: DeliveryContext) => void handled.push(event.id)
    await bus.subscribe(patterns, handler, { group: 'g', ...options }).ready
    const process: Process = {
      handled,
      stop: async () => {
        running.delete(process)
        await bus.close()
      },
    }
    running.add(process)
    return process
  }

  let published = 0
  async function publish(types: string[], count: number): Promise<string[]> {
    const servers = [`nats://${server.address}`]
    const bus = await EventBus.open({ store: natsStore({ servers, prefix }) })
    const events = Array.from({ length: count }, (_, n) => {
      const type = types[n % types.length]!
      return { type, id: `${type}-${published++}`, subject: type }
    })
    await bus.publishBatch(events)
    await bus.close()
    return events.map(({ id }) => id)
  }

  const allOf = (...processes: Process[]) => processes.flatMap(({ handled }) => handled).toSorted()
  const strangers = ({ handled }: Process, type: string) =>
    handled.filter((id) => !id.startsWith(`${type}-`))

  describe.each(kinds)('$kind', ({ options }) => {
    it('gets each event to a process that asked for it, when the new one starts last', async () => {
      newGroup()
      const before = await start(['x'], options)
      const after = await start(['x', 'y'], options)
      const ids = await publish(['x', 'y'], 100)
      await expect.poll(() => allOf(before, after), PATIENCE).toEqual(ids.toSorted())
      expect(strangers(before, 'x')).toEqual([])
      await before.stop()
      const more = await publish(['y'], 10)
      await expect.poll(() => allOf(before, after), PATIENCE).toEqual([...ids, ...more].toSorted())
    }, 200_000)

    it('gets each event to a process that asked for it, when the old one starts last', async () => {
      newGroup()
      const after = await start(['x', 'y'], options)
      const before = await start(['x'], options)
      const ids = await publish(['y', 'x'], 100)
      await expect.poll(() => allOf(before, after), PATIENCE).toEqual(ids.toSorted())
      expect(strangers(before, 'x')).toEqual([])
    }, 200_000)

    it('keeps what only the new process wants while it is away', async () => {
      newGroup()
      const before = await start(['x'], options)
      const first = await start(['x', 'y'], options)
      await first.stop()
      const ids = await publish(['x', 'y'], 40)
      const xs = ids.filter((id) => id.startsWith('x'))
      await expect.poll(() => allOf(before), PATIENCE).toEqual(xs.toSorted())
      const second = await start(['x', 'y'], options)
      await expect.poll(() => allOf(before, second), PATIENCE).toEqual(ids.toSorted())
      expect(strangers(before, 'x')).toEqual([])
    }, 200_000)

    it('gets what an old process was handling when it was killed to the new one', async () => {
      newGroup()
      const bundled = bundleWorker(join(import.meta.dirname, 'stuck-consumer.ts'))
      const { workerFile } = await untilTestEnds(bundled)
      const told: { attempt?: number; ready?: true }[] = []
      const old = fork(workerFile, {
        env: {
          ...globalThis.process.env,
          STUCK_STORE: `nats://${server.address}`,
          STUCK_PREFIX: prefix,
          STUCK_ORDERED: options.orderingKey === undefined ? 'no' : 'yes',
        },
      })
      onTestFinished(() => void old.kill('SIGKILL'))
      old.on('message', (message: object) => told.push(message))
      await expect.poll(() => told, PATIENCE).toEqual([{ ready: true }])
      const first = await publish(['a'], 4)
      await expect.poll(() => told.some(({ attempt }) => attempt === 1), PATIENCE).toBe(true)
      old.kill('SIGKILL')
      const after = await start(['a', 'y'], { ...options, ackWaitMs: 1_000 })
      const ids = [...first, ...(await publish(['a', 'y'], 20))]
      await expect.poll(() => allOf(after), PATIENCE).toEqual(ids.toSorted())
    }, 200_000)

    it('serves many old processes and one new one', async () => {
      newGroup()
      const old: Process[] = []
      for (let n = 0; n < 5; n += 1) old.push(await start(['x'], options))
      const after = await start(['x', 'y'], options)
      const ids = await publish(['x', 'y', 'y'], 150)
      await expect.poll(() => allOf(...old, after), PATIENCE).toEqual(ids.toSorted())
      expect(old.flatMap((one) => strangers(one, 'x'))).toEqual([])
    }, 200_000)

    it('serves three generations at once, and patterns with nothing in common', async () => {
      newGroup()
      const one = await start(['x'], options)
      const two = await start(['y'], options)
      const three = await start(['z.>', 'x'], options)
      const ids = await publish(['x', 'y', 'z.a'], 60)
      await expect.poll(() => allOf(one, two, three), PATIENCE).toEqual(ids.toSorted())
      expect(strangers(one, 'x')).toEqual([])
      expect(strangers(two, 'y')).toEqual([])
      expect(three.handled.filter((id) => id.startsWith('y'))).toEqual([])
    }, 200_000)

    it('loses nothing of what narrower patterns still match', async () => {
      newGroup()
      const before = await start(['x', 'y'], options)
      const after = await start(['x'], options)
      const first = await publish(['x', 'y'], 40)
      await expect.poll(() => allOf(before, after), PATIENCE).toEqual(first.toSorted())
      expect(strangers(after, 'x')).toEqual([])
      await before.stop()
      const xs = await publish(['x'], 20)
      await expect.poll(() => allOf(before, after), PATIENCE).toEqual([...first, ...xs].toSorted())
    }, 200_000)
  })
})
