import { expect, it } from 'vitest'
import { serve, settled } from './workspace.js'

const files = {
  'nexus.yaml':
    'functions:\n  - { name: half, source: ./half.js, events: [a], retry: { maxAttempts: 1 } }\n',
  'half.js': "export default ({ data }) => { if (data.bad) throw new Error('bad') }",
}

it('before anything happened there are no rates, and a bus that is connected', async () => {
  const { client } = await serve(files)
  expect(await client.metrics()).toEqual({
    cache: { hitRatePercent: 0, handlers: expect.any(Object), modules: expect.any(Object) },
    events: { published: 0, replayed: 0, failed: 0, successRatePercent: null },
    functions: {
      executed: 0,
      succeeded: 0,
      failed: 0,
      successRatePercent: null,
      averageDurationMs: null,
    },
    system: {
      uptimeSeconds: expect.any(Number),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      bus: { backend: expect.any(String), connected: true },
      machine: expect.objectContaining({
        disks: { data: expect.any(Object), cache: expect.any(Object) },
        cpu: expect.objectContaining({ processRatio: expect.any(Number) }),
      }),
    },
  })
})

it('JSON and Prometheus tell the same story, the one that happened', async () => {
  const { client, send } = await serve(files)
  const receipts = await client.publishBatch(
    [false, true, false, false].map((bad) => ({ type: 'a', data: { bad } })),
  )
  for (const { id } of receipts) await settled(client, id)
  const report = await client.metrics()
  expect(report.events).toEqual({
    published: 4,
    replayed: 0,
    failed: 1,
    successRatePercent: 75,
  })
  expect(report.functions).toMatchObject({ executed: 4, succeeded: 3, failed: 1 })
  expect(report.functions.averageDurationMs).toBeGreaterThan(0)

  const response = await send('/metrics')
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  expect(text).toMatch(/^nexus_events_published_total 4$/m)
  expect(text).toMatch(/^nexus_events_dead_lettered_total\{group="half"\} 1$/m)
  expect(text).toMatch(/^process_resident_memory_bytes \d/m)
  expect(text).toMatch(/^nexus_threads \d/m)
  expect(text).toMatch(/^nexus_pool_instances\{state="available"\} \d/m)
  expect(text).toMatch(/^nexus_cache_misses_total \d/m)
})

it('Prometheus gets the machine, or the container, with the disks of the data and the cache', async () => {
  const { send } = await serve(files)
  const text = await (await send('/metrics')).text()
  for (const disk of ['data', 'cache']) {
    expect(text).toMatch(
      new RegExp(`^nexus_system_disk_available_bytes\\{disk="${disk}"\\} \\d`, 'm'),
    )
  }
  expect(text).toMatch(/^nexus_system_cpu_busy_ratio [\d.e-]+$/m)
  expect(text).toMatch(/^nexus_system_memory_available_bytes \d/m)
})
