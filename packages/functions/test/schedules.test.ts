import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { type FunctionDefinition, FunctionHost, type Schedule } from '@nexus/functions'
import { expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from './manual-clock.js'

const TYPE = 'nexus.schedule.report'

async function open(start: string) {
  const clock = new ManualClock(start)
  const bus = await EventBus.open({ store: memoryStore() })
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  const hosts: FunctionHost[] = []
  onTestFinished(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    await bus.close()
    await runtime.shutdown()
  })
  /** A host that runs `report` by this schedule, once its timer waits. */
  const run = async (schedule: string | Schedule, more: Partial<FunctionDefinition> = {}) => {
    const host = new FunctionHost({ bus, runtime, clock })
    hosts.push(host)
    await host.bind([report(schedule, more)])
    await clock.settled(hosts.length - closed)
    return host
  }
  let closed = 0
  const close = async (host: FunctionHost) => {
    await host.close()
    closed += 1
  }
  const fired = async () => {
    const { events } = await bus.list({ type: TYPE, order: 'asc', limit: 1000 })
    return events.map(({ event }) => event.data as { scheduledAt: string; missed: boolean })
  }
  const times = async () => (await fired()).map(({ scheduledAt }) => scheduledAt.slice(11, 16))
  return { clock, bus, run, close, fired, times }
}

function report(
  schedule: string | Schedule | undefined,
  more: Partial<FunctionDefinition> = {},
): FunctionDefinition {
  return {
    name: 'report',
    source: 'export default (event) => event.data.scheduledAt',
    schedule,
    ...more,
  }
}

it('runs a function at its time, by an event like all others', async () => {
  const { clock, bus, run, fired } = await open('2026-03-02T08:59:50Z')
  const host = await run({ cron: '0 10 * * 1-5', timeZone: 'Europe/Berlin' })
  expect(host.functions).toMatchObject([
    {
      name: 'report',
      events: [],
      schedule: { cron: '0 10 * * 1-5', missed: 'skip', nextAt: '2026-03-02T09:00:00.000Z' },
    },
  ])
  await clock.passUntil('2026-03-02T08:59:59Z')
  expect(await fired()).toEqual([])
  await clock.passUntil('2026-03-02T09:00:05Z')
  const scheduledAt = '2026-03-02T09:00:00.000Z'
  expect(await fired()).toEqual([
    { scheduledAt, cron: '0 10 * * 1-5', timeZone: 'Europe/Berlin', missed: false },
  ])
  const key = { id: `report@${scheduledAt}`, source: '/schedules' }
  expect((await bus.get(key.id, key.source))?.event).toMatchObject({
    type: TYPE,
    time: scheduledAt,
  })
  await expect
    .poll(() => host.runs(key))
    .toMatchObject([{ function: 'report', status: 'succeeded', value: scheduledAt }])
  expect(host.functions[0]?.schedule?.nextAt).toBe('2026-03-03T09:00:00.000Z')
})

it('fires once where several hosts run the function', async () => {
  const { clock, bus, run, times } = await open('2026-03-02T08:59:50Z')
  await run('0 * * * *')
  await run('0 * * * *')
  await clock.passUntil('2026-03-02T09:00:10Z')
  expect(await times()).toEqual(['09:00'])
  expect((await bus.getStats()).duplicates).toBe(1)
})

const policies: [Omit<Schedule, 'cron'>, string[]][] = [
  [{}, []],
  [{ missed: 'once' }, ['12:00']],
  [{ missed: 'all' }, ['10:00', '11:00', '12:00']],
  [{ missed: 'all', maxMissed: 2 }, ['11:00', '12:00']],
]

it.each(policies)('after a pause, %j catches up on %j', async (policy, expected) => {
  const { clock, run, close, fired, times } = await open('2026-03-02T08:59:50Z')
  const schedule = { cron: '0 * * * *', ...policy }
  const host = await run(schedule)
  await clock.passUntil('2026-03-02T09:00:10Z')
  await close(host)
  clock.set('2026-03-02T12:30:00Z')
  await run(schedule)
  expect(await times()).toEqual(['09:00', ...expected])
  expect((await fired()).map(({ missed }) => missed)).toEqual([false, ...expected.map(() => true)])
  await clock.passUntil('2026-03-02T13:00:01Z')
  expect(await times()).toEqual(['09:00', ...expected, '13:00'])
})

it.each(policies)(
  'when the clock is set forward, %j catches up on %j',
  async (policy, expected) => {
    const { clock, run, times } = await open('2026-03-02T09:30:00Z')
    await run({ cron: '0 * * * *', ...policy })
    clock.set('2026-03-02T12:30:00Z')
    await clock.passUntil('2026-03-02T12:30:30Z')
    expect(await times()).toEqual(expected)
  },
)

it('misses nothing of the time before the function had its schedule', async () => {
  const { clock, run, close, times } = await open('2026-03-02T09:30:00Z')
  const first = await run({ cron: '0 * * * *', missed: 'all' })
  expect(await times()).toEqual([])
  await close(first)
  clock.set('2026-03-02T11:30:00Z')
  const other = await run({ cron: '15 * * * *', missed: 'all' })
  await close(other)
  clock.set('2026-03-02T12:30:00Z')
  await run({ cron: '0 * * * *', missed: 'all' })
  expect(await times()).toEqual([])
})

it('fires no time twice when the clock is set back', async () => {
  const { clock, run, times } = await open('2026-03-02T08:59:50Z')
  await run('0 * * * *')
  await clock.passUntil('2026-03-02T09:00:10Z')
  clock.set('2026-03-02T08:59:30Z')
  await clock.passUntil('2026-03-02T09:01:00Z')
  expect(await times()).toEqual(['09:00'])
})

it('counts a firing that is less than a minute late as punctual', async () => {
  const { clock, run, fired } = await open('2026-03-02T08:59:50Z')
  await run('0 * * * *')
  clock.set('2026-03-02T09:00:45Z')
  await clock.passUntil('2026-03-02T09:00:59Z')
  expect(await fired()).toMatchObject([{ missed: false }])
})

it('follows a schedule that is changed, and one that is removed', async () => {
  const { clock, run, times } = await open('2026-03-02T08:30:00Z')
  const host = await run({ cron: '0 * * * *', missed: 'all' })
  await clock.passUntil('2026-03-02T09:00:10Z')
  await host.bind([report({ cron: '10 * * * *', missed: 'all' })])
  await clock.settled(1)
  await clock.passUntil('2026-03-02T10:05:00Z')
  expect(await times()).toEqual(['09:00', '09:10'])
  await host.bind([report(undefined, { events: 'a' })])
  expect(host.functions[0]).not.toHaveProperty('schedule')
  await clock.passUntil('2026-03-02T11:30:00Z')
  await host.bind([report({ cron: '10 * * * *', missed: 'all' })])
  await clock.settled(1)
  expect(await times()).toEqual(['09:00', '09:10'])
  await clock.passUntil('2026-03-02T12:15:00Z')
  expect(await times()).toEqual(['09:00', '09:10', '12:10'])
})

it('fires once the store takes the event', async () => {
  const { clock, bus, run, times } = await open('2026-03-02T08:59:59Z')
  const errors: unknown[] = []
  bus.on('error', (error) => errors.push(error))
  await run('0 * * * *')
  const away = vi.spyOn(bus, 'publish').mockRejectedValueOnce(new Error('away'))
  await clock.passUntil('2026-03-02T09:00:00Z')
  expect([errors.length, await times()]).toEqual([1, []])
  await clock.passUntil('2026-03-02T09:00:02Z')
  expect([errors.length, await times()]).toEqual([1, ['09:00']])
  away.mockRestore()
})

it('catches up after a restart over a log on the disk', async () => {
  const path = await mkdtemp(join(tmpdir(), 'nexus-schedules-'))
  onTestFinished(() => rm(path, { recursive: true }))
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  onTestFinished(() => runtime.shutdown())
  const clock = new ManualClock('2026-03-02T08:59:50Z')
  const times: unknown[][] = []
  for (const until of ['2026-03-02T09:00:10Z', '2026-03-02T13:00:10Z']) {
    const bus = await EventBus.open({ store: localStore({ path, durability: 'os' }) })
    const host = new FunctionHost({ bus, runtime, clock })
    await host.bind([report({ cron: '0 * * * *', missed: 'all' })])
    await clock.settled(1)
    await clock.passUntil(until)
    const { events } = await bus.list({ type: TYPE, order: 'asc' })
    times.push(events.map(({ event }) => event.time.slice(11, 16)))
    await host.close()
    await bus.close()
    clock.set('2026-03-02T12:59:50Z')
  }
  expect(times).toEqual([['09:00'], ['09:00', '10:00', '11:00', '12:00', '13:00']])
})

it('fires no more once its bus is closed', async () => {
  const { clock, bus, run } = await open('2026-03-02T08:59:59Z')
  const errors: unknown[] = []
  bus.on('error', (error) => errors.push(error))
  await run('0 * * * *')
  await bus.close()
  const publish = vi.spyOn(bus, 'publish')
  clock.set('2026-03-02T09:00:00Z')
  clock.fire()
  await expect.poll(() => publish.mock.settledResults[0]?.type).toBe('rejected')
  await clock.settled(0)
  expect(errors).toEqual([])
})

it.each([
  [{ schedule: '61 * * * *' }, 'schedule: expected a cron expression'],
  [
    { schedule: { cron: '0 * * * *', timeZone: 'Mars/Base' } },
    'schedule.timeZone: expected a time zone',
  ],
  [{ schedule: { cron: '0 * * * *', missed: 'some' } }, 'schedule.missed'],
  [{ schedule: { cron: '0 * * * *', every: 1 } }, 'every'],
  [{}, 'expected events, a schedule or http'],
])('refuses %j', async (definition, message) => {
  const { run } = await open('2026-03-02T09:30:00Z')
  await expect(
    run('@daily', { schedule: undefined, ...(definition as object) }),
  ).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining(message),
  })
})
