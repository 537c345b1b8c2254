import { startRuntime } from '@nexus/runtime'
import { hasNats, hasRedis, startNats, startRedis, untilTestEnds } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'
import { serve, workspace } from './workspace.js'

const files = (schedule: string, bus: string) => ({
  'tick.js': 'export default (event) => event.data.scheduledAt',
  'nexus.yaml': `bus: ${bus}
functions:
  - { name: tick, source: ./tick.js, schedule: ${schedule} }
`,
})

it('shows when a function runs next', async () => {
  const { client } = await serve(files("{ cron: '0 0 1 1 *', timeZone: Asia/Tokyo }", 'memory'))
  const [tick] = await client.functions()
  expect(tick).toMatchObject({
    name: 'tick',
    events: [],
    schedule: {
      cron: '0 0 1 1 *',
      timeZone: 'Asia/Tokyo',
      missed: 'skip',
      nextAt: expect.stringMatching(/^\d{4}-12-31T15:00:00\.000Z$/),
    },
  })
})

it.each([
  ["'61 * * * *'", 'functions[0].schedule: expected a cron expression such as "0 9 * * 1-5"'],
  ["{ cron: '0 * * * *', timeZone: Mars }", 'functions[0].schedule.timeZone: expected a time zone'],
  ["{ cron: '0 * * * *', zone: UTC }", 'unknown key "zone" in functions[0].schedule'],
])('refuses the schedule %s, and says where', async (schedule, message) => {
  const directory = await workspace(files(schedule, 'memory'))
  const config = `${directory}/nexus.yaml`
  const started = startRuntime({ config, port: 0, env: {} })
  await expect(started).rejects.toThrow(message)
  await expect(started).rejects.toThrow('nexus.yaml:3:')
})

it('wants events or a schedule', async () => {
  const directory = await workspace({
    'tick.js': 'export default () => 1',
    'nexus.yaml': 'functions:\n  - { name: tick, source: ./tick.js }\n',
  })
  await expect(
    startRuntime({ config: `${directory}/nexus.yaml`, port: 0, env: {} }),
  ).rejects.toThrow(/expected events, (a )?schedule/)
})

it.each([
  { name: 'nats', available: hasNats(), start: () => startNats() },
  { name: 'redis', available: hasRedis(), start: () => startRedis() },
])('two runtimes on $name fire each time once', async ({ name, available, start }) => {
  if (!available) return
  const server = await untilTestEnds(start())
  const env = { NEXUS_BUS_URL: `${name}://127.0.0.1:${server.port}` }
  const { client, directory } = await serve(files("'* * * * * *'", `{ ${name}: {} }`), { env })
  const other = await startRuntime({ config: `${directory}/nexus.yaml`, port: 0, env })
  onTestFinished(() => other.close())
  const firings = async () =>
    (await client.listEvents({ type: 'nexus.schedule.tick', limit: 100 })).events
  await expect.poll(async () => (await firings()).length).toBeGreaterThan(3)
  const events = await firings()
  const times = events.map(({ time }) => time)
  expect(new Set(times).size).toBe(times.length)
  const oldest = events.at(-1)!
  await expect
    .poll(async () => (await client.getEvent(oldest.id)).runs)
    .toMatchObject([{ function: 'tick', status: 'succeeded', attempts: 1, value: oldest.time }])
})
