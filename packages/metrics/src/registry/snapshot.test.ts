import { expect, it } from 'vitest'
import { MetricsRegistry } from './registry.js'

function worker(n: number): MetricsRegistry {
  const registry = new MetricsRegistry({ clock: { now: () => 0 } })
  registry.counter({ name: 'c_total', help: 'C.', labelNames: ['k'] }).inc({ k: 'x' }, n)
  registry.gauge({ name: 'added', help: 'Added.' }).set(n)
  registry.gauge({ name: 'largest', help: 'Largest.', aggregate: 'max' }).set(n)
  registry.gauge({ name: 'smallest', help: 'Smallest.', aggregate: 'min' }).set(n)
  registry.gauge({ name: 'odd', help: 'Odd.' }).set(n === 2 ? Number.NEGATIVE_INFINITY : 1)
  registry.histogram({ name: 'h', help: 'H.', buckets: [1, 2] }).observe(n)
  registry.summary({ name: 's', help: 'S.', quantiles: [0, 1] }).observe(n)
  return registry
}

it('what several workers recorded adds up, also through JSON', () => {
  const total = new MetricsRegistry({ clock: { now: () => 0 } })
  for (const n of [1, 2, 3]) {
    total.merge(JSON.parse(JSON.stringify(worker(n).snapshot())))
  }
  const text = total.toPrometheus()
  expect(text).toContain('c_total{k="x"} 6\n')
  expect(text).toContain('\nadded 6\n')
  expect(text).toContain('\nlargest 3\n')
  expect(text).toContain('\nsmallest 1\n')
  expect(text).toContain('\nodd -Inf\n')
  expect(text).toContain(
    'h_bucket{le="1"} 1\nh_bucket{le="2"} 2\nh_bucket{le="+Inf"} 3\nh_sum 6\nh_count 3\n',
  )
  expect(text).toContain('s{quantile="0"} 1\ns{quantile="1"} 3\ns_sum 6\ns_count 3\n')
})

it('a gauge that is new here takes the value as it is, whatever its sign', () => {
  const source = new MetricsRegistry()
  source.gauge({ name: 'low', help: 'Low.', labelNames: ['k'], aggregate: 'max' }).set({ k: 1 }, -5)
  const total = new MetricsRegistry()
  total.merge(source.snapshot())
  expect(total.toPrometheus()).toContain('low{k="1"} -5\n')
})

it('metrics that differ under one name are not mixed', () => {
  const total = new MetricsRegistry()
  total.histogram({ name: 'h', help: 'H.', buckets: [1, 3] })
  expect(() => total.merge(worker(1).snapshot())).toThrow(
    'h has buckets [1,3] here and [1,2] in the snapshot',
  )
  const other = new MetricsRegistry()
  other.counter({ name: 'c_total', help: 'C.', labelNames: ['other'] })
  expect(() => other.merge(worker(1).snapshot())).toThrow(
    expect.objectContaining({ code: 'INVALID_SNAPSHOT' }),
  )
})

it('a snapshot of another version is refused', () => {
  const snapshot = { ...worker(1).snapshot(), version: 2 } as never
  expect(() => new MetricsRegistry().merge(snapshot)).toThrow('Expected a snapshot of version 1')
})
