import { EventBus, type SubscribeOptions } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis } from '@nexus/test-kit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

/** One process of a deployment, with what its handler got. */
interface Process {
  bus: EventBus
  patterns: string[]
  got: { id: string; type: string }[]
}

describe.skipIf(!hasRedis())('a group on Redis during a deployment', () => {
  let server: ServerProcess
  let prefixes = 0
  let processes: Process[] = []
  let publisher: EventBus

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'no'])
  })
  afterAll(() => server.stop())
  afterEach(async () => {
    await Promise.all([publisher, ...processes.map(({ bus }) => bus)].map((bus) => bus.close()))
    processes = []
  })

  const openBus = () =>
    EventBus.open({
      store: redisStore({ url: `redis://${server.address}`, prefix: `deploy-${prefixes}` }),
    })

  async function begin(): Promise<void> {
    prefixes += 1
    publisher = await openBus()
  }

  async function start(
    patterns: string[],
    options: Partial<SubscribeOptions> = {},
  ): Promise<Process> {
    const started: Process = { bus: await openBus(), patterns, got: [] }
    const subscription = started.bus.subscribe(
      patterns,
      ({ event: { id, type } }) => {
        started.got.push({ id, type })
      },
      { group: 'g', ackWaitMs: 2_000, ...options },
    )
    await subscription.ready
    processes.push(started)
    return started
  }

  let published = 0
  async function publish(types: string[], count: number): Promise<string[]> {
    const events = Array.from({ length: count }, () =>
      types.map((type) => ({ type, id: `e${++published}`, subject: 'one' })),
    ).flat()
    await publisher.publishBatch(events)
    return events.map(({ id }) => id)
  }

  const handled = (): Set<string> =>
    new Set(processes.flatMap(({ got }) => got.map(({ id }) => id)))

  async function untilHandled(ids: string[]): Promise<void> {
    await expect
      .poll(() => ids.filter((id) => !handled().has(id)).length, { timeout: 30_000 })
      .toBe(0)
  }

  function expectOnlyWhatWasAskedFor(): void {
    for (const { patterns, got } of processes) {
      const wrong = got.filter(({ type }) => !patterns.includes(type))
      expect(wrong).toEqual([])
    }
  }

  const behind = async (): Promise<number | undefined> =>
    (await publisher.getStats()).store.groups[0]?.behind

  for (const orderingKey of [undefined, 'subject']) {
    const options = orderingKey === undefined ? {} : { orderingKey }
    const kind = orderingKey === undefined ? 'without order' : 'with an ordering key'
    for (const order of ['old', 'new'] as const) {
      it(`gives each process what it asked for when the ${order} one starts first, ${kind}`, async () => {
        await begin()
        const sets = [['x'], ['x', 'y']]
        if (order === 'new') sets.reverse()
        for (const patterns of sets) await start(patterns, options)
        await untilHandled(await publish(['x', 'y'], 100))
        expectOnlyWhatWasAskedFor()
        if (orderingKey !== undefined) {
          const ids = processes.flatMap(({ got }) => got.map(({ id }) => id))
          expect(new Set(ids).size).toBe(ids.length)
        }
      }, 60_000)
    }

    it(`keeps what only the new process asked for while it is away, ${kind}`, async () => {
      await begin()
      await start(['x'], options)
      const young = await start(['x', 'y'], options)
      await young.bus.close()
      const xs = await publish(['x'], 20)
      const ys = await publish(['y'], 20)
      const later = await publish(['x'], 20)
      await untilHandled([...xs, ...later])
      expect(ys.some((id) => handled().has(id))).toBe(false)
      // An old process that starts again does not take the wish of the new one away.
      await start(['x'], options)
      const more = await publish(['x', 'y'], 5)
      await start(['x', 'y'], options)
      await untilHandled([...ys, ...more])
      expectOnlyWhatWasAskedFor()
    }, 60_000)
  }

  it('drops what no process asks for any more once the patterns were narrowed', async () => {
    await begin()
    const old = await start(['x', 'y'])
    await start(['x'])
    await untilHandled(await publish(['x', 'y'], 50))
    await publisher.publish({ type: 'y', id: 'delayed' }, { delayMs: 600 })
    await old.bus.close()
    const ys = await publish(['y'], 10)
    await untilHandled(await publish(['x'], 10))
    await expect.poll(behind).toBe(0)
    expect((await publisher.get(ys[0]!))?.deliveries).toEqual([])
    await expect
      .poll(async () => (await publisher.get('delayed'))?.deliveries, { timeout: 10_000 })
      .toEqual([])
    expectOnlyWhatWasAskedFor()
  })

  for (const seed of [1, 2, 3, 4]) {
    it(`loses nothing that the newest patterns match, whatever starts and stops (seed ${seed})`, async () => {
      await begin()
      let state = seed
      const random = (below: number): number => {
        state = (state * 48_271) % 2_147_483_647
        return state % below
      }
      const generations = [['x'], ['x', 'y'], ['x', 'y', 'z']]
      if (seed % 2 === 0) generations.reverse()
      const options = seed > 2 ? { orderingKey: 'subject' } : {}
      const running: Process[] = []
      const wanted: string[] = []
      let newest = 0
      running.push(await start(generations[0]!, options))
      for (let step = 0; step < 25; step++) {
        const choice = random(4)
        if (choice === 0) {
          // The generations come one after the other; an older one may come again beside them.
          const generation = random(Math.min(newest + 2, generations.length))
          newest = Math.max(newest, generation)
          running.push(await start(generations[generation]!, options))
        } else if (choice === 1 && running.length > 0) {
          await running.splice(random(running.length), 1)[0]!.bus.close()
        } else {
          for (const type of ['x', 'y', 'z']) {
            const ids = await publish([type], 1 + random(3))
            if (generations[newest]!.includes(type)) wanted.push(...ids)
          }
        }
      }
      // What a narrower newest generation does not want may be dropped, never what it wants.
      await start(generations[newest]!, options)
      const still = new Set(generations[newest])
      const types = new Map<string, string>()
      for (const { event } of (await publisher.list({ limit: 500 })).events) {
        types.set(event.id, event.type)
      }
      await untilHandled(wanted.filter((id) => still.has(types.get(id)!)))
      expectOnlyWhatWasAskedFor()
    }, 60_000)
  }
})
