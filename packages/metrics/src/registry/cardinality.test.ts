import { expect, it } from 'vitest'
import { MetricsRegistry } from './registry.js'

it('a full metric refuses new label sets, counts what it refused, and goes on with the known ones', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 2 })
  const hits = registry.counter({ name: 'hits_total', help: 'Hits.', labelNames: ['user'] })
  for (const user of ['a', 'b', 'c', 'd', 'a']) hits.inc({ user })
  const text = registry.toPrometheus()
  expect(text).toContain('hits_total{user="a"} 2\nhits_total{user="b"} 1\n')
  expect(text).not.toContain('user="c"')
  expect(text).toContain('nexus_metrics_refused_updates_total{metric="hits_total"} 2\n')
  expect(registry.getStats()).toMatchObject({ refusedUpdates: 2, maxSeriesPerMetric: 2 })
})

it('a refused handle counts as refused, each update through it too, and works once there is room', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 1 })
  const hits = registry.counter({ name: 'hits_total', help: 'Hits.', labelNames: ['user'] })
  hits.inc({ user: 'a' })
  const handle = hits.bind({ user: 'b' })
  handle.inc()
  handle.inc()
  expect(registry.getStats().refusedUpdates).toBe(3)
  hits.remove({ user: 'a' })
  handle.inc(5)
  expect(registry.toPrometheus()).toContain('hits_total{user="b"} 5\n')
})

it('the counter of refusals is not limited itself', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 1 })
  for (const name of ['a_total', 'b_total']) {
    const counter = registry.counter({ name, help: 'Help.', labelNames: ['x'] })
    counter.inc({ x: 1 })
    counter.inc({ x: 2 })
  }
  expect(registry.toPrometheus()).toContain('refused_updates_total{metric="a_total"} 1\n')
  expect(registry.toPrometheus()).toContain('refused_updates_total{metric="b_total"} 1\n')
  expect(registry.getStats().refusedUpdates).toBe(2)
})

it('a series that nothing updates expires, and its handle starts a new one', () => {
  const clock = { time: 0, now: () => clock.time }
  const registry = new MetricsRegistry({ clock })
  const hits = registry.counter({
    name: 'hits_total',
    help: 'Hits.',
    labelNames: ['user', 'page'],
    expireAfterMs: 1_000,
  })
  const idle = hits.bind({ user: 'idle', page: '/' })
  const busy = hits.bind({ user: 'busy', page: '/' })
  idle.inc(7)
  busy.inc()
  registry.toPrometheus()
  clock.time = 999
  busy.inc()
  expect(registry.toPrometheus()).toContain('user="idle",page="/"} 7\n')
  clock.time = 1_000
  expect(registry.toPrometheus()).not.toContain('idle')
  expect(registry.toPrometheus()).toContain('user="busy",page="/"} 2\n')
  expect(registry.getStats().expiredSeries).toBe(1)
  idle.inc()
  hits.inc({ user: 'idle', page: '/' })
  expect(registry.toPrometheus()).toContain('user="idle",page="/"} 2\n')
})

it('expired series make room for new ones', () => {
  const clock = { time: 0, now: () => clock.time }
  const registry = new MetricsRegistry({ clock, maxSeriesPerMetric: 3 })
  const hits = registry.counter({
    name: 'hits_total',
    help: 'Hits.',
    labelNames: ['user'],
    expireAfterMs: 10,
  })
  for (let round = 0; round < 50; round++) {
    for (const user of ['x', 'y', 'z']) hits.inc({ user: `${user}${round}` })
    registry.toPrometheus()
    clock.time += 10
    registry.toPrometheus()
  }
  expect(registry.getStats()).toMatchObject({ refusedUpdates: 0, expiredSeries: 150 })
})

it('label values that UTF-8 cannot tell apart are one series', () => {
  const registry = new MetricsRegistry()
  const hits = registry.counter({ name: 'hits_total', help: 'Hits.', labelNames: ['user'] })
  for (const user of ['\ud800', '\udfff', '\ufffd']) hits.inc({ user })
  expect(registry.toPrometheus()).toContain('hits_total{user="\ufffd"} 3\n')
  expect(hits.remove({ user: '\ud801' })).toBe(true)
  expect(hits.remove({ user: '\ufffd' })).toBe(false)
})
