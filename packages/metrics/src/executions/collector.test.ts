import { expect, it } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'
import { MetricsCollector } from './collector.js'

const execution = {
  functionName: 'order-total',
  status: 'success',
  cacheTier: 'memory',
  durationUs: 100,
}

it('a collector that nothing feeds prints nothing and reports zeros', () => {
  const collector = new MetricsCollector()
  expect(collector.toPrometheus()).toBe('')
  expect(collector.cacheHitRate()).toBe(0)
  expect(collector.avgExecutionTimeUs()).toBe(0)
  expect(collector.getStats()).toEqual({
    totals: {
      executions: 0,
      succeeded: 0,
      failed: 0,
      failuresByCode: {},
      byStatus: {},
      byCacheTier: {},
      cacheHitRate: 0,
      durationUs: { avg: 0, min: 0, max: 0, p50: 0, p95: 0, p99: 0 },
    },
    functions: {},
    maxFunctions: 1_000,
  })
})

it('executions are counted in total and by function', () => {
  const collector = new MetricsCollector()
  collector.recordExecution({ ...execution, cacheTier: 'none', compileTimeUs: 3_000 }, true)
  collector.recordExecution({ ...execution, durationUs: 300 }, true)
  collector.recordExecution(
    { ...execution, functionName: 'other', status: 'error', errorCode: 'TIMEOUT', durationUs: 200 },
    false,
  )
  collector.recordExecution({ ...execution, functionName: 'other', status: 'MEMORY_LIMIT' }, false)
  const { totals, functions } = collector.getStats()
  expect(totals).toMatchObject({
    executions: 4,
    succeeded: 2,
    failed: 2,
    failuresByCode: { TIMEOUT: 1, MEMORY_LIMIT: 1 },
    byStatus: { success: 2, error: 1, MEMORY_LIMIT: 1 },
    byCacheTier: { memory: 3, none: 1 },
  })
  expect(functions['order-total']).toMatchObject({
    executions: 2,
    succeeded: 2,
    failed: 0,
    cacheHitRate: 0.5,
    durationUs: { avg: 200, min: 100, max: 300 },
  })
  expect(collector.toPrometheus()).toContain(
    'nexus_execution_failures_total{function="other",code="TIMEOUT"} 1\n',
  )
  expect(collector.cacheHitRate()).toBe(0.75)
  expect(collector.avgExecutionTimeUs()).toBe(175)
})

it('durations have quantiles', () => {
  const collector = new MetricsCollector()
  for (let i = 1; i <= 1_000; i++) collector.recordExecution({ ...execution, durationUs: i }, true)
  const { p50, p95, p99, max } = collector.getStats().totals.durationUs
  expect(Math.abs(p50 - 500)).toBeLessThanOrEqual(500 * 0.008)
  expect(Math.abs(p95 - 950)).toBeLessThanOrEqual(950 * 0.008)
  expect(Math.abs(p99 - 990)).toBeLessThanOrEqual(990 * 0.008)
  expect(max).toBe(1_000)
})

it('every figure of an execution reaches the scrape, in base units', () => {
  const collector = new MetricsCollector()
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  collector.recordExecution(
    {
      ...execution,
      compileTimeUs: 2_000,
      queueWaitUs: 50,
      memoryUsedBytes: 1_048_576,
      hostCalls: 3,
      traceId,
    },
    true,
  )
  const text = collector.toPrometheus({ format: 'openmetrics' })
  expect(text).toContain(
    'nexus_executions_total{function="order-total",status="success",cache_tier="memory"} 1\n',
  )
  expect(text).toContain('nexus_execution_duration_seconds_sum{function="order-total"} 0.0001\n')
  expect(text).toMatch(
    new RegExp(`duration_seconds_bucket\\{.*le="0.0001"\\} 1 # \\{trace_id="${traceId}"\\} 0.0001`),
  )
  expect(text).toContain(
    'nexus_compile_duration_seconds_sum{function="order-total",cache_tier="memory"} 0.002\n',
  )
  expect(text).toContain('nexus_queue_wait_seconds_sum{function="order-total"} 0.00005\n')
  expect(text).toContain('nexus_execution_memory_bytes_sum{function="order-total"} 1048576\n')
  expect(text).toContain('nexus_host_calls_total{function="order-total"} 3\n')
})

it('figures that an execution does not have leave no series', () => {
  const collector = new MetricsCollector()
  collector.recordExecution(execution, true)
  expect(collector.toPrometheus()).not.toMatch(/compile_|queue_|memory_bytes|host_calls/)
})

it.each([{ durationUs: -1 }, { queueWaitUs: Number.NaN }, { hostCalls: Number.POSITIVE_INFINITY }])(
  'an execution with %j is refused and counted nowhere',
  (wrong) => {
    const collector = new MetricsCollector()
    expect(() => collector.recordExecution({ ...execution, ...wrong }, true)).toThrow(
      `Expected ${Object.keys(wrong)[0]} of an execution of order-total`,
    )
    expect(collector.getStats().totals.executions).toBe(0)
    expect(collector.toPrometheus()).toBe('')
  },
)

it('functions past the limit count together', () => {
  const collector = new MetricsCollector({ maxFunctions: 2 })
  for (const functionName of ['a', 'b', 'c', 'd', 'a']) {
    collector.recordExecution({ ...execution, functionName }, true)
  }
  const { totals, functions } = collector.getStats()
  expect(totals.executions).toBe(5)
  expect(Object.fromEntries(Object.entries(functions).map(([k, v]) => [k, v.executions]))).toEqual({
    a: 2,
    b: 1,
    '(other)': 2,
  })
  expect(collector.toPrometheus()).toContain('function="(other)",status="success"')
})

it('a closed collector leaves a shared registry as it was', () => {
  const registry = new MetricsRegistry()
  registry.gauge({ name: 'mine', help: 'Mine.' })
  const before = registry.toPrometheus()
  const collector = new MetricsCollector({ registry })
  collector.recordExecution(execution, true)
  collector.close()
  expect(registry.toPrometheus()).toBe(before)
  new MetricsCollector({ registry })
})

it('a function may have any name', () => {
  const collector = new MetricsCollector()
  for (const functionName of ['__proto__', 'constructor', 'a"b\n']) {
    collector.recordExecution({ ...execution, functionName }, true)
  }
  expect(Object.keys(collector.getStats().functions)).toEqual(['__proto__', 'constructor', 'a"b\n'])
  expect(collector.toPrometheus()).toContain('function="a\\"b\\n"')
})

it('a compilation ahead of the calls is counted by its origin, and is no execution', () => {
  const collector = new MetricsCollector()
  const compilation = { functionName: 'order-total', cacheTier: 'none', durationUs: 1_500 }
  collector.recordCompilation(compilation)
  collector.recordCompilation({ ...compilation, cacheTier: 'disk', durationUs: 40 })
  const text = collector.toPrometheus()
  expect(text).toContain('_seconds_sum{function="order-total",cache_tier="none"} 0.0015\n')
  expect(text).toContain('_seconds_count{function="order-total",cache_tier="disk"} 1\n')
  expect(collector.getStats().totals.executions).toBe(0)
  for (const durationUs of [-1, Number.NaN, '5' as unknown as number]) {
    expect(() => collector.recordCompilation({ ...compilation, durationUs })).toThrow('durationUs')
  }
})
