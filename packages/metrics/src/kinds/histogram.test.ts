import { expect, it } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'

const definition = { name: 'size', help: 'Size.', labelNames: ['kind'], buckets: [1, 2.5] } as const

it('an observation counts in its bucket and all larger ones, a bound belonging to its bucket', () => {
  const registry = new MetricsRegistry()
  const size = registry.histogram(definition)
  for (const value of [-1, 1, 1.0001, 2.5, 3]) size.observe({ kind: 'a' }, value)
  expect(registry.toPrometheus()).toBe(
    [
      '# HELP size Size.',
      '# TYPE size histogram',
      'size_bucket{kind="a",le="1"} 2',
      'size_bucket{kind="a",le="2.5"} 4',
      'size_bucket{kind="a",le="+Inf"} 5',
      'size_sum{kind="a"} 6.5001',
      'size_count{kind="a"} 5',
      '',
    ].join('\n'),
  )
})

it('without labels the braces hold only the bound', () => {
  const registry = new MetricsRegistry()
  const plain = registry.histogram({ name: 'plain', help: 'Plain.', buckets: [1] })
  plain.observe(0.5)
  plain.bind().observe(2)
  expect(registry.toPrometheus()).toContain(
    'plain_bucket{le="1"} 1\nplain_bucket{le="+Inf"} 2\nplain_sum 2.5\nplain_count 2\n',
  )
})

it('OpenMetrics shows bounds as floats and one exemplar per bucket', () => {
  const registry = new MetricsRegistry({ clock: { now: () => 2_000 } })
  const size = registry.histogram(definition).bind({ kind: 'a' })
  size.observe(1, { trace_id: 'first' })
  size.observe(0.5, { trace_id: 'second' })
  size.observe(7, { trace_id: 'third' })
  expect(registry.toPrometheus({ format: 'openmetrics' })).toContain(
    [
      'size_bucket{kind="a",le="1.0"} 2 # {trace_id="second"} 0.5 2',
      'size_bucket{kind="a",le="2.5"} 2',
      'size_bucket{kind="a",le="+Inf"} 3 # {trace_id="third"} 7 2',
    ].join('\n'),
  )
})

it.each([Number.NaN, Number.POSITIVE_INFINITY])(
  '%s is refused, as it would spoil the sum',
  (value) => {
    const registry = new MetricsRegistry()
    const size = registry.histogram(definition)
    expect(() => size.observe({ kind: 'a' }, value)).toThrow('size takes finite numbers')
  },
)

it('buckets must ascend, and le is no label of a histogram', () => {
  const registry = new MetricsRegistry()
  expect(() => registry.histogram({ ...definition, buckets: [2, 1] })).toThrow('ascending')
  expect(() => registry.histogram({ ...definition, labelNames: ['le'] })).toThrow('reserved')
})
