import { afterEach, expect, it, vi } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'

afterEach(() => {
  vi.useRealTimers()
})

it.each(['histogram', 'summary'] as const)('a timer of a %s observes seconds', (kind) => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const registry = new MetricsRegistry()
  const seconds = registry[kind]({ name: 's', help: 'S.', labelNames: ['method', 'status'] })
  const end = seconds.startTimer({ method: 'GET' })
  vi.advanceTimersByTime(1_500)
  expect(end({ status: 200 })).toBe(1.5)
  const text = registry.toPrometheus()
  expect(text).toContain('s_sum{method="GET",status="200"} 1.5\n')
  expect(text).toContain('s_count{method="GET",status="200"} 1\n')
})
