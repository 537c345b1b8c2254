import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DeliveryContext, EventBus, type Subscription } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import { hasRedis, type ServerProcess, startRedis } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, type ExpectStatic, it } from 'vitest'

const PATIENCE = { timeout: 30_000 }

/** Every kind of key that the store writes, and what is said when its keys are deleted. */
const KINDS: Record<string, RegExp | 'nothing is lost'> = {
  events: /key events was deleted/,
  bodies: /key bodies was deleted.*publish it again/,
  erased: /key erased was deleted.*their data stays erased/,
  meta: /lost the key .*:meta/,
  ids: /key ids was deleted/,
  same: /key same:twin was deleted/,
  indexes: /key indexes was deleted/,
  type: /key type:a was deleted/,
  source: /key source:\/one was deleted/,
  groups: /key groups was deleted/,
  'groups-backup': /key groups-backup was deleted/,
  filling: /key filling was deleted/,
  members: /group plain lost a key .*members:plain/,
  ready: /group plain lost a key .*ready:plain/,
  due: /group plain lost a key .*due:plain/,
  later: /group plain lost a key .*later:plain/,
  claims: /group ordered lost a key .*claims:ordered/,
  parked: /group plain lost a key .*parked:plain/,
  work: /group ordered lost a key .*work:ordered/,
  deliveries: /group plain lost a key .*results of what it handled/,
  dead: /group plain lost a key .*dead:plain/,
  states: /group plain lost a key .*states:plain.*do not go on/,
  'state-keys': /group plain lost a key .*state-keys:plain/,
  shared: /key shared was deleted.*pause them again/,
  processes: /key processes was deleted/,
  process: /key process:.* was deleted/,
  clock: /key clock was deleted/,
  // A cache, and what can be told from the other keys.
  routes: 'nothing is lost',
  'parked-sets': 'nothing is lost',
  owner: 'nothing is lost',
  forget: 'nothing is lost',
}

/** The first token of a key behind the prefix of the bus. */
const kindOf = (key: string): string => key.split(':')[2]!

/** A gate that holds handlers until it is opened. */
function gate() {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** A bus with events in every state: handled, in flight, waiting, delayed, parked, dead, erased. */
async function startBus(expect: ExpectStatic, url: string, prefix: string) {
  const openBus = () => EventBus.open({ store: redisStore({ url, prefix }) })
  const buses: EventBus[] = []
  const handled: Record<string, string[]> = { plain: [], ordered: [], away: [] }
  const said: string[] = []
  const { open: openGate, opened } = gate()
  const subscribe = async (
    patterns: string[],
    group: string,
    options: { orderingKey?: string } = {},
  ): Promise<{ bus: EventBus; subscription: Subscription }> => {
    const bus = await openBus()
    buses.push(bus)
    bus.on('error', (error) => said.push(String(error)))
    const handler = async ({ event, attempt }: DeliveryContext) => {
      if (event.type === 'dead') throw Object.assign(new Error('no'), { retryable: false })
      if (event.id === 'retried' && attempt === 1) throw new Error('once')
      if (event.id === 'in-flight') await opened
      handled[group]!.push(event.id)
    }
    const subscription = bus.subscribe(patterns, handler, {
      group,
      ackWaitMs: 2_000,
      concurrency: 4,
      retry: { baseDelayMs: 4_000, jitter: 0 },
      ...options,
    })
    await subscription.ready
    return { bus, subscription }
  }
  const { bus } = await subscribe(['a', 'dead'], 'plain')
  const newer = await subscribe(['a', 'b', 'dead'], 'plain')
  await newer.bus.close()
  await subscribe(['o'], 'ordered', { orderingKey: 'subject' })
  const away = await subscribe(['a', 'b'], 'away')
  await away.bus.close()

  const publish = (type: string, id: string, source = '/one') =>
    bus.publish({ type, id, source, subject: 'k', data: id })
  await publish('a', 'first')
  await publish('dead', 'dead')
  await publish('a', 'erased')
  await publish('a', 'twin')
  await publish('a', 'twin', '/two')
  await publish('a', 'retried')
  await expect.poll(() => handled.plain, PATIENCE).toEqual(['first', 'erased', 'twin', 'twin'])
  const status = async (id: string) =>
    (await bus.get(id, '/one'))?.deliveries.find(({ group }) => group === 'plain')?.status
  for (const id of ['first', 'erased', 'twin']) {
    await expect.poll(() => status(id), PATIENCE).toBe('succeeded')
  }
  await expect.poll(() => status('retried'), PATIENCE).toBe('retrying')
  await expect.poll(() => status('dead'), PATIENCE).toBe('dead-lettered')
  await bus.erase({ id: 'erased', reason: 'asked' })
  await bus.states.put('plain', { key: 'call.one', value: 1 })
  await bus.shared.update('paused', () => ({ one: true }))
  await bus.publish({ type: 'a', id: 'delayed', source: '/one' }, { delayMs: 4_000 })
  const deliverAt = new Date(Date.now() + 4_000)
  await bus.publish({ type: 'a', id: 'planned', source: '/one' }, { deliverAt })
  for (const id of ['parked-1', 'parked-2']) await publish('b', id)
  await publish('o', 'in-flight')
  for (const id of ['behind-1', 'behind-2', 'behind-3']) await publish('o', id)
  const running = async () =>
    (await bus.getStats()).store.groups.find(({ group }) => group === 'ordered')?.running
  await expect.poll(running, PATIENCE).toBeGreaterThan(0)
  const behind = async () =>
    (await bus.getStats()).store.groups.find(({ group }) => group === 'plain')?.behind
  await expect.poll(behind, PATIENCE).toBe(2)
  return { bus, buses, handled, said, openGate, publish, subscribe, status }
}

/** What each group handles in the end, as often as it does. */
const WAITING = {
  plain: ['retried', 'delayed', 'planned', 'parked-1', 'parked-2'],
  ordered: ['in-flight', 'behind-1', 'behind-2', 'behind-3'],
  away: [
    'first',
    'erased',
    'twin',
    'twin',
    'retried',
    'delayed',
    'planned',
    'parked-1',
    'parked-2',
  ],
}

describe.skipIf(!hasRedis())('a bus on Redis whose keys are deleted', () => {
  let server: ServerProcess
  let redis: Redis

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'no'])
    redis = new Redis(`redis://${server.address}`)
  })
  afterAll(async () => {
    redis.disconnect()
    await server.stop()
  })

  it('is tried with every kind of key that the scripts know', async ({ expect }) => {
    const scripts = join(import.meta.dirname, '../src/scripts')
    const texts = readdirSync(scripts, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(scripts, name), 'utf8'))
    const written = texts.flatMap((text) =>
      [...text.matchAll(/p \.\. ':([a-z-]+)/g)].map(([, kind]) => kind!),
    )
    // Not a key: the channel by which processes wake each other up.
    const kinds = new Set(written.filter((kind) => kind !== 'wake'))
    expect([...kinds].filter((kind) => KINDS[kind] === undefined)).toEqual([])
  })

  for (const [kind, told] of Object.entries(KINDS)) {
    it.concurrent(`notices deleted keys of the kind ${kind}, and no group stands still`, async ({
      expect,
    }) => {
      const prefix = `deleted-${kind}`
      const { bus, buses, handled, said, openGate, publish, subscribe, status } = await startBus(
        expect,
        `redis://${server.address}`,
        prefix,
      )
      const keys = await redis.keys(`${prefix}:{bus}:*`)
      // Each kind is there, or its case would show nothing.
      expect([...new Set(keys.map(kindOf))].toSorted()).toEqual(Object.keys(KINDS).toSorted())
      const handledBefore = new Map([['plain', [...handled.plain!]]])
      said.length = 0
      await redis.del(...keys.filter((key) => kindOf(key) === kind))

      // A key of events with the same id is missed when the id is used.
      if (kind === 'same') await publish('a', 'twin', '/two').catch(() => {})
      if (told !== 'nothing is lost') {
        await expect.poll(() => said.join('\n'), PATIENCE).toMatch(told)
      }
      await expect.poll(() => bus.getReadiness(), PATIENCE).toEqual({ ready: true })
      const publishes = () => publish('a', 'after').then(Boolean, () => false)
      await expect.poll(publishes, PATIENCE).toBe(true)
      openGate()
      await subscribe(['a', 'b', 'dead'], 'plain')
      await subscribe(['a', 'b'], 'away')
      await publish('o', 'after-o')

      const isLost = kind === 'bodies'
      const wanted = (group: keyof typeof WAITING): string[] => {
        const waiting = isLost ? [] : WAITING[group]
        const after = group === 'ordered' ? 'after-o' : 'after'
        return [...(handledBefore.get(group) ?? []), ...waiting, after].toSorted()
      }
      for (const group of ['plain', 'ordered', 'away'] as const) {
        const missing = () => wanted(group).filter((id) => !handled[group]!.includes(id))
        await expect.poll(missing, PATIENCE).toEqual([])
      }
      const isDone = async () => {
        const { groups } = (await bus.getStats()).store
        return groups.map(({ behind, running, scheduled }) => behind + running + scheduled)
      }
      await expect.poll(isDone, PATIENCE).toEqual([0, 0, 0])

      // What was handled is not handled again; where the claims were lost, what was in flight is.
      expect(handled.plain!.filter((id) => id === 'first')).toHaveLength(1)
      const ordered = [...new Set(handled.ordered)]
      expect(ordered.filter((id) => id !== 'in-flight')).toEqual(
        isLost ? ['after-o'] : ['behind-1', 'behind-2', 'behind-3', 'after-o'],
      )
      if (!['same', 'claims', 'work', 'owner', 'bodies'].includes(kind)) {
        for (const group of ['plain', 'ordered', 'away'] as const) {
          expect(handled[group]!.toSorted()).toEqual(wanted(group))
        }
      }
      if (!isLost) {
        expect(await status('first')).toBe(kind === 'deliveries' ? undefined : 'succeeded')
        const { deadLetters, total } = await bus.deadLetters.list()
        expect([total, deadLetters.map(({ event }) => event.id)]).toEqual([1, ['dead']])
        expect((await bus.get('erased'))?.event.data).toBe(undefined)
        if (kind !== 'erased') expect((await bus.get('erased'))?.erased?.reason).toBe('asked')
        expect(await publish('a', 'twin', '/two')).toMatchObject({ duplicate: true })
        expect((await bus.list({ type: 'o' })).total).toBe(5)
        expect((await bus.list({ source: '/one', type: '>' })).events).toHaveLength(15)
        expect(await bus.deadLetters.redrive()).toBe(1)
      }
      await Promise.all(buses.map((one) => one.close({ drainTimeoutMs: 100 })))
    }, 120_000)
  }
})
