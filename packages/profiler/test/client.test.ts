import { setTimeout as sleep } from 'node:timers/promises'
import {
  createPerformanceClient,
  InvalidMetricError,
  type OptimizationRule,
  type PerformanceClient,
  type PerformanceClientOptions,
  type PerformanceSnapshot,
} from '@nexus/profiler'
import { eventually } from '@nexus/test-kit'
import { afterEach, expect, it } from 'vitest'

const clients: PerformanceClient[] = []

function createClient(options: PerformanceClientOptions = {}): PerformanceClient {
  const client = createPerformanceClient({ env: {}, ...options })
  clients.push(client)
  return client
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

/** How often the event loop is looked at. */
const RESOLUTION_MS = 20

/** Blocks the event loop. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

it('a snapshot says what the process did since the one before', async () => {
  const client = createClient()
  client.recordMetric({ name: 'db.query', category: 'Database', value: 4, unit: 'ms' })
  client.recordMetric({ name: 'db.query', category: 'Database', value: 8, unit: 'ms' })
  await sleep(30)
  block(120)
  await sleep(30)
  const first = await client.createSnapshot()
  expect(first.durationMs).toBeGreaterThan(170)
  expect(first.cpu.userPercent + first.cpu.systemPercent).toBeGreaterThan(1)
  expect(first.memory.heapUsed).toBeGreaterThan(1e6)
  expect(first.eventLoop.delayMs.max).toBeGreaterThan(80)
  expect(first.eventLoop.utilization).toBeGreaterThan(0.2)
  expect(first.metricCount).toBe(2)
  expect(first.metrics).toEqual(client.getMetrics())
  expect(first.metricSummaries).toEqual([
    {
      name: 'db.query',
      category: 'Database',
      unit: 'ms',
      count: 2,
      min: 4,
      avg: 6,
      p50: 4,
      p95: 8,
      max: 8,
    },
  ])
  const second = await client.createSnapshot()
  expect(second.metrics).toEqual([])
  // What was counted in the first is not in the second: no delay is longer than the time since then.
  expect(second.eventLoop.delayMs.max).toBeLessThanOrEqual(second.durationMs + RESOLUTION_MS)
  expect(client.getSnapshots()).toEqual([first, second])
})

it('a block right before a snapshot counts with it, and one around a profile with its report', async () => {
  const client = createClient()
  block(100)
  const before = await client.createSnapshot()
  expect(before.eventLoop.delayMs.max).toBeGreaterThan(80)
  expect(before.eventLoop.delayMs.p99).toBeGreaterThan(80)
  await client.startProfiling()
  block(100)
  const { content } = await client.stopProfiling()
  const { delayMs, utilization } = content.snapshots.at(-1)!.eventLoop
  expect(delayMs.max).toBeGreaterThan(80)
  expect(delayMs.p99).toBeGreaterThan(50)
  expect(utilization).toBeGreaterThan(0.5)
})

it('garbage collections are counted', async () => {
  const client = createClient()
  const { gc } = await eventually(
    () => {
      Array.from({ length: 50_000 }, (_, i) => ({ i, text: String(i) }))
      return client.createSnapshot()
    },
    ({ gc }) => gc.count > 0,
  )
  expect(gc.totalMs).toBeGreaterThanOrEqual(gc.longestMs)
})

it('a snapshot has the figures of the components, without those that fail', async () => {
  const client = createClient()
  client.observe({
    pool: () => ({ waiting: 1 }),
    cache: async () => ({ misses: 2 }),
    threads() {
      throw new Error('down')
    },
  })
  const { components } = await client.createSnapshot()
  expect(components).toEqual({ pool: { waiting: 1 }, cache: { misses: 2 } })
})

it('snapshots come by themselves, and knobs are turned only with autoOptimize', async () => {
  for (const autoOptimize of [false, true]) {
    const client = createClient({ profileIntervalMs: 5, autoOptimize })
    let instances = 10
    client.registerKnob({
      id: 'pool.maxInstances',
      unit: 'instances',
      min: 1,
      max: 15,
      read: () => instances,
      write(value) {
        instances = value
      },
    })
    client.observe({ pool: () => ({ waiting: instances < 15 ? 3 : 0 }) })
    if (autoOptimize) {
      await expect
        .poll(() => client.getOptimizations().find(({ id }) => id === 'pool-waits'))
        .toMatchObject({ state: 'applied', result: { before: 1, after: 0 } })
      expect(instances).toBe(15)
      await client.undoOptimization('pool-waits')
    } else {
      await expect.poll(() => client.getOptimizations().map(({ id }) => id)).toContain('pool-waits')
    }
    expect(instances).toBe(10)
    client.close()
  }
})

it('with optimizations off none are looked for', async () => {
  const client = createClient({ enableOptimizations: false })
  client.observe({ pool: () => ({ waiting: 3 }) })
  for (let i = 0; i < 4; i++) await client.createSnapshot()
  expect(client.getOptimizations()).toEqual([])
})

it('a rule of your own is asked, applied and removed like the rest, and may fail without harm', async () => {
  const clock = { time: 1_000, now: () => clock.time++ }
  const client = createClient({ clock })
  let limit = 10
  client.registerKnob({
    ...{ id: 'db.connections', unit: 'connections', min: 1, max: 100 },
    read: () => limit,
    write(value) {
      limit = value
    },
  })
  const worst = (snapshots: readonly PerformanceSnapshot[]) =>
    snapshots.at(-1)?.metricSummaries.find(({ name }) => name === 'db.wait')?.max
  const rule: OptimizationRule = {
    id: 'db-waits',
    measure: worst,
    find(snapshots) {
      const value = worst(snapshots)
      if (value === undefined || value < 100) return []
      return [
        {
          ...{ title: 'Queries wait for a connection', severity: 'high' },
          evidence: [{ what: 'longest wait', value, unit: 'ms', limit: 100 }],
          ...{ advice: 'Open more connections.', expectedEffect: 'Orders load sooner.' },
          turn: { knob: 'db.connections', factor: 2 },
        },
      ]
    },
  }
  const remove = client.registerRule(rule)
  client.registerRule({
    ...rule,
    id: 'broken',
    find() {
      throw new Error('no such figure')
    },
  })
  // A machine that others use has more to say.
  const advised = 'Queries wait for a connection. Open more connections.'
  client.recordMetric({ name: 'db.wait', value: 300, unit: 'ms' })
  const { content, id } = await client.generateReport('orders', 60_000)
  expect(id).toBe('report-1')
  expect(content).toMatchObject({
    metricCount: 1,
    recommendations: expect.arrayContaining([advised]),
  })
  expect(client.getStats().failedRules).toEqual({ broken: 'no such figure' })
  await client.applyOptimization('db-waits')
  expect(limit).toBe(20)
  client.recordMetric({ name: 'db.wait', value: 5, unit: 'ms' })
  await client.createSnapshot()
  expect(client.getOptimizations()).toContainEqual(
    expect.objectContaining({
      id: 'db-waits',
      result: expect.objectContaining({ before: 300, after: 5 }),
    }),
  )
  const second = await client.generateReport('orders', 60_000)
  expect(second.id).toBe('report-2')
  expect(second.content.recommendations).not.toContain(advised)
  for (const wrong of [rule, { ...rule, id: 'heap-growth' }, { ...rule, id: 'a b' }, {}]) {
    expect(() => client.registerRule(wrong as OptimizationRule)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }),
    )
  }
  remove()
  client.registerRule(rule)
})

it('with metrics off nothing is kept', () => {
  const client = createClient({ enableMetrics: false })
  expect(client.recordMetric({ name: 'n', value: 1, unit: 'ms' })).toBeUndefined()
  expect(client.recordInteraction({ name: 'n', durationMs: 1 })).toBeUndefined()
  expect(client.getMetrics()).toEqual([])
})

it('interactions lead to improvements', () => {
  const client = createClient()
  for (let i = 0; i < 5; i++) {
    client.recordInteraction({ name: 'checkout', durationMs: 900, metadata: { cart: i } })
  }
  expect(client.getMetrics({ category: 'Interaction', limit: 1 })[0]).toMatchObject({
    name: 'checkout',
    value: 900,
    metadata: { cart: 4, success: true },
  })
  expect(client.getUxImprovements()).toMatchObject([
    { id: 'slow-interaction:checkout', severity: 'poor' },
  ])
})

it('what a page sends is checked, all of it before any of it is kept', () => {
  const client = createClient()
  const good = { name: 'LCP', category: 'Rendering', value: 1, unit: 'ms', timestamp: 1 }
  expect(client.recordPageMetrics({ page: '/orders', metrics: [good] })).toEqual(
    client.getMetrics(),
  )
  expect(client.getMetricSummaries()).toMatchObject([{ name: 'LCP', unit: 'ms', count: 1, max: 1 }])
  const [kept] = client.getMetrics()
  expect(kept).toMatchObject({ name: 'LCP', metadata: { page: '/orders' } })
  expect(kept!.timestamp).toBeGreaterThan(1)
  for (const payload of [
    undefined,
    null,
    'text',
    { page: 1, metrics: [] },
    { page: '/', metrics: [good, { ...good, value: 'x' }] },
    { page: '/', metrics: Array(501).fill(good) },
    { page: '/', metrics: [good, { ...good, id: 'mine' }] },
    { page: '/', metrics: [good, { ...good, colour: 'red' }] },
    {
      page: '/',
      metrics: [
        good,
        {
          ...good,
          metadata: Object.fromEntries(
            Array(16)
              .fill(0)
              .map((_, i) => [i, i]),
          ),
        },
      ],
    },
  ]) {
    expect(() => client.recordPageMetrics(payload)).toThrow(InvalidMetricError)
  }
  expect(client.getMetrics()).toHaveLength(1)
})

it('each metric is in one snapshot: the next after it was recorded, whatever its timestamp', async () => {
  const client = createClient()
  const record = (name: string, timestamp?: number) =>
    client.recordMetric({ name, value: 1, unit: 'x', timestamp })
  const names = async () => (await client.createSnapshot()).metrics.map(({ name }) => name)
  record('now')
  record('late', Date.now() - 60_000)
  record('early', Date.now() + 60_000)
  expect(await names()).toEqual(['now', 'late', 'early'])
  record('next')
  expect(await names()).toEqual(['next'])
  expect(await names()).toEqual([])
})

it('what a snapshot holds is bounded too', async () => {
  const client = createClient()
  const functions = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [
      `f${i}`,
      { executions: 1, failed: 0, durationUs: { avg: i, p95: i, max: i } },
    ]),
  )
  client.observe({ functions: () => functions })
  for (let i = 0; i < 5_000; i++) client.recordMetric({ name: `m${i}`, value: i, unit: 'x' })
  const { metricCount, metrics, metricSummaries, components } = await client.createSnapshot()
  expect(metricCount).toBe(5_000)
  expect(metrics.map(({ name }) => name)).toEqual(
    Array.from({ length: 100 }, (_, i) => `m${4_900 + i}`),
  )
  expect(metricSummaries).toHaveLength(200)
  const kept = Object.keys(components.functions!)
  expect(kept).toHaveLength(200)
  expect(kept).toContain('f999')
  expect(kept).not.toContain('f0')
})

it('a closed client records nothing more', async () => {
  const client = createClient()
  client.close()
  client.close()
  expect(() => client.recordMetric({ name: 'n', value: 1, unit: 'ms' })).toThrow('was closed')
  await expect(client.createSnapshot()).rejects.toThrow(
    expect.objectContaining({ code: 'CLIENT_CLOSED' }),
  )
})

it('the machine is described when asked for', async () => {
  const client = createClient()
  const host = await client.getHostFacts()
  expect(host.cpu.cores).toBeGreaterThan(0)
  expect(host.memoryBytes).toBeGreaterThan(1e8)
  expect(host.os.platform).toBe(process.platform)
  const report = await client.generateReport('with host', 1_000)
  expect(report.content.host).toEqual(host)
})

it('a report covers the time asked for', async () => {
  const clock = { time: 100_000, now: () => clock.time }
  const client = createClient({ clock })
  client.recordMetric({ name: 'old', value: 1, unit: 'ms' })
  await client.createSnapshot()
  clock.time += 10_000
  client.recordMetric({ name: 'new', value: 2, unit: 'ms' })
  const report = await client.generateReport('nightly', 5_000)
  expect(report.content).toMatchObject({ name: 'nightly', startedMs: 105_000, endedMs: 110_000 })
  expect(report.content.metrics.map(({ name }) => name)).toEqual(['new'])
  expect(report.content.snapshots).toHaveLength(1)
  await expect(client.generateReport('none', 0)).rejects.toThrow('to be positive, got 0 ms')
})

it('snapshots are bounded by age', async () => {
  const clock = { time: 0, now: () => clock.time }
  const client = createClient({ clock, metricsRetentionMs: 1_000 })
  await client.createSnapshot()
  clock.time = 1_001
  await client.createSnapshot()
  expect(client.getSnapshots()).toHaveLength(1)
  expect(client.getStats()).toMatchObject({ snapshots: 1, maxSnapshots: 240, profiling: false })
})
