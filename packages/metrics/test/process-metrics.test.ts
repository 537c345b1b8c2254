import { addProcessMetrics, MetricsRegistry } from '@nexus/metrics'
import { expect, it } from 'vitest'

function value(text: string, name: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${name} `))
  return line === undefined ? Number.NaN : Number(line.slice(name.length))
}

it('a name that is taken adds none of the process metrics', () => {
  const registry = new MetricsRegistry()
  registry.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Mine.' }).set(1)
  const before = registry.toPrometheus()
  expect(() => addProcessMetrics(registry)).toThrow(expect.objectContaining({ code: 'NAME_TAKEN' }))
  expect(registry.toPrometheus()).toBe(before)
})

it('process metrics agree with what Node says of itself, and leave nothing behind', async () => {
  const registry = new MetricsRegistry()
  const remove = addProcessMetrics(registry)
  await new Promise((resolve) => setTimeout(resolve, 40))
  const text = registry.toPrometheus()
  const { user, system } = process.cpuUsage()
  expect(value(text, 'process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(value(text, 'process_cpu_seconds_total')).toBeLessThanOrEqual((user + system) / 1e6)
  expect(value(text, 'process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1000, 3)
  expect(value(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e6)
  expect(value(text, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(1e5)
  expect(value(text, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0)
  expect(value(text, 'nodejs_eventloop_utilization_ratio')).toBeGreaterThanOrEqual(0)
  expect(text).toContain(`nodejs_version_info{version="${process.version}"`)
  expect(text).toContain('nodejs_heap_space_size_used_bytes{space="new"}')
  if (process.platform === 'linux') {
    expect(value(text, 'process_open_fds')).toBeGreaterThan(2)
    expect(value(text, 'process_virtual_memory_bytes')).toBeGreaterThan(1e7)
  }
  remove()
  expect(registry.toPrometheus()).toBe('')
})
