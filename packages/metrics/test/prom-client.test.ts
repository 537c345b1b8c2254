import { MetricsRegistry } from '@nexus/metrics'
import { registerInPromClient } from '@nexus/metrics/prom-client'
import { Counter, Gauge, Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { parseExposition } from './support/parse-exposition.js'

function filled(): MetricsRegistry {
  const registry = new MetricsRegistry({ clock: { now: () => 1_000 } })
  const labelNames = ['kind'] as const
  registry.counter({ name: 'ours_total', help: 'Ours.', labelNames }).inc({ kind: 'a"\n' }, 3)
  registry.gauge({ name: 'level', help: 'Level.' }).set(Number.NEGATIVE_INFINITY)
  registry
    .histogram({ name: 'size', help: 'Size.', labelNames, buckets: [1, 2] })
    .observe({ kind: 'b' }, 1.5, { trace_id: 'abc' })
  registry.summary({ name: 'wait', help: 'Wait.', quantiles: [0.5] }).observe(4)
  return registry
}

const sorted = (text: string) =>
  parseExposition(text.replace(/\n\n/g, '\n'))
    .samples.map(
      ({ name, labels, value }) =>
        `${name} ${JSON.stringify(Object.entries(labels).sort())} ${value}`,
    )
    .sort()

it('one scrape of prom-client has its own metrics and ours', async () => {
  const target = new Registry()
  new Counter({ name: 'theirs_total', help: 'Theirs.', registers: [target] }).inc(5)
  const registry = filled()
  registerInPromClient(registry, target)
  const text = await target.metrics()
  expect(text).toContain('theirs_total 5')
  expect(sorted(text).filter((line) => !line.startsWith('theirs'))).toEqual(
    sorted(registry.toPrometheus()),
  )
})

it('OpenMetrics through prom-client has the same samples and exemplars', async () => {
  const target = new Registry()
  target.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  const registry = filled()
  registerInPromClient(registry, target)
  const text = await target.metrics()
  expect(sorted(text)).toEqual(
    sorted(registry.toPrometheus({ format: 'openmetrics' })).map((line) =>
      line.replace(/"(\d)\.0"/, '"$1"'),
    ),
  )
  expect(text).toMatch(/ # \{trace_id="abc"\} 1\.5 1\n/)
})

it('metrics that come later are shown, and those that go are not', async () => {
  const target = new Registry()
  const registry = new MetricsRegistry()
  const stop = registerInPromClient(registry, target)
  let reads = 0
  registry.observe({
    metrics: {
      one: { type: 'gauge', name: 'one', help: 'One.' },
      two: { type: 'gauge', name: 'two', help: 'Two.' },
    },
    collect(observe) {
      reads++
      observe.one(1)
      observe.two(2)
    },
  })
  expect(await target.metrics()).toMatch(/^one 1$[\s\S]*^two 2$/m)
  expect(reads).toBe(1)
  registry.remove('one')
  expect(await target.metrics()).not.toContain('one')
  stop()
  expect((await target.metrics()).trim()).toBe('')
  registry.gauge({ name: 'three', help: 'Three.' })
  expect((await target.metrics()).trim()).toBe('')
})

it('a name that prom-client has already is an error, and changes nothing', async () => {
  const target = new Registry()
  new Counter({ name: 'ours_total', help: 'Theirs.', registers: [target] }).inc(5)
  const registry = filled()
  expect(() => registerInPromClient(registry, target)).toThrow(
    'ours_total has already been registered',
  )
  expect(target.getMetricsAsArray()).toHaveLength(1)
  registry.gauge({ name: 'later', help: 'Later.' })
  expect(target.getMetricsAsArray()).toHaveLength(1)
})

it('resetMetrics() of prom-client resets the metrics that it shows, and handles go on counting', async () => {
  const target = new Registry()
  const registry = filled()
  const handle = registry.counter({ name: 'kept_total', help: 'Kept.' }).bind()
  handle.inc(7)
  registerInPromClient(registry, target)
  target.resetMetrics()
  handle.inc()
  const values = Object.fromEntries(
    parseExposition(registry.toPrometheus()).samples.map(({ name, value }) => [name, value]),
  )
  expect(values).toEqual({ kept_total: 1, level: 0, wait: Number.NaN, wait_sum: 0, wait_count: 0 })
})

it('after resetMetrics() both show the same, and a gauge that was never set is not shown', async () => {
  const target = new Registry()
  const registry = new MetricsRegistry()
  const theirs = { registers: [target], help: 'Theirs.', labelNames: ['of'] }
  const ours = { help: 'Ours.', labelNames: ['of'] }
  new Gauge({ name: 'theirs', help: 'Theirs.', registers: [target] }).set(3)
  new Gauge({ ...theirs, name: 'theirs_labelled' }).set({ of: 'x' }, 3)
  registry.gauge({ name: 'ours', help: 'Ours.' }).set(3)
  registry.gauge({ ...ours, name: 'ours_labelled' }).set({ of: 'x' }, 3)
  registry.gauge({ name: 'never', help: 'Never set.' })
  registry.gauge({ name: 'read', help: 'Read.', collect: (observe) => observe(3) })
  registerInPromClient(registry, target)
  target.resetMetrics()
  const { samples } = parseExposition((await target.metrics()).replace(/\n\n/g, '\n'))
  const values = Object.fromEntries(samples.map(({ name, value }) => [name, value]))
  expect(values).toEqual({ theirs: 0, ours: 0, read: 3 })
})
