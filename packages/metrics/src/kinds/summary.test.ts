import { expect, it } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'

function summaryAt(start: number) {
  const clock = { time: start, now: () => clock.time }
  const registry = new MetricsRegistry({ clock })
  const wait = registry.summary({
    name: 'wait',
    help: 'Wait.',
    labelNames: ['q'],
    quantiles: [0, 0.5, 1],
    windowMs: 1_000,
    windowSlices: 5,
  })
  return { clock, registry, wait }
}

it('a summary prints its quantiles, sum and count', () => {
  const { registry, wait } = summaryAt(0)
  const bound = wait.bind({ q: 'a' })
  for (const value of [4, 2, 8]) bound.observe(value)
  wait.observe({ q: 'a' }, 2)
  expect(registry.toPrometheus({ format: 'openmetrics' })).toBe(
    [
      '# TYPE wait summary',
      '# HELP wait Wait.',
      'wait{q="a",quantile="0.0"} 2',
      'wait{q="a",quantile="0.5"} 2.015625',
      'wait{q="a",quantile="1.0"} 8',
      'wait_sum{q="a"} 16',
      'wait_count{q="a"} 4',
      '# EOF',
      '',
    ].join('\n'),
  )
})

it('quantiles forget what left the window; sum and count do not', () => {
  const { clock, registry, wait } = summaryAt(10_000)
  wait.observe({ q: 'a' }, 100)
  clock.time = 10_999
  wait.observe({ q: 'a' }, 1)
  expect(registry.toPrometheus()).toContain('quantile="1"} 100\n')
  clock.time = 11_000
  expect(registry.toPrometheus()).toContain('quantile="1"} 1\n')
  expect(registry.toPrometheus()).toContain('wait_sum{q="a"} 101\nwait_count{q="a"} 2\n')
  clock.time = 60_000
  expect(registry.toPrometheus()).toContain('quantile="1"} NaN\n')
})

it('a clock set back loses nothing', () => {
  const { clock, registry, wait } = summaryAt(10_000)
  wait.observe({ q: 'a' }, 1)
  clock.time = 5_000
  wait.observe({ q: 'a' }, 3)
  expect(registry.toPrometheus()).toContain('quantile="0"} 1\n')
  expect(registry.toPrometheus()).toContain('quantile="1"} 3\n')
})
