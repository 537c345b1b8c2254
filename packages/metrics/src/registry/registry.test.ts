import { expect, it } from 'vitest'
import { MetricsError } from '../errors.js'
import { MetricsRegistry } from './registry.js'

it('a name is taken once', () => {
  const registry = new MetricsRegistry()
  registry.counter({ name: 'a_total', help: 'A.' })
  expect(() => registry.gauge({ name: 'a_total', help: 'A.' })).toThrow(
    'There already is a metric "a_total". Register it once and share it.',
  )
})

it('so are the names that a histogram or a summary prints', () => {
  const registry = new MetricsRegistry()
  registry.histogram({ name: 'size', help: 'Size.' })
  expect(() => registry.gauge({ name: 'size_count', help: 'Count.' })).toThrow(
    '"size_count" would print "size_count", as "size" does. Choose another name.',
  )
  registry.gauge({ name: 'wait_sum', help: 'Sum.' })
  expect(() => registry.summary({ name: 'wait', help: 'Wait.' })).toThrow(
    expect.objectContaining({
      code: 'NAME_TAKEN',
      details: expect.objectContaining({ sample: 'wait_sum' }),
    }),
  )
})

it('in OpenMetrics a counter is named without _total, so that name is taken too', () => {
  const registry = new MetricsRegistry()
  registry.counter({ name: 'jobs_total', help: 'Jobs.' })
  expect(() => registry.gauge({ name: 'jobs', help: 'Jobs.' })).toThrow(MetricsError)
})

it('a removed metric gives its name back', () => {
  const registry = new MetricsRegistry()
  registry.histogram({ name: 'size', help: 'Size.' })
  expect(registry.remove('size')).toBe(true)
  expect(registry.remove('size')).toBe(false)
  registry.gauge({ name: 'size_count', help: 'Count.' })
  expect(registry.get('size')).toBeUndefined()
  expect(registry.get('size_count')?.type).toBe('gauge')
})

it('observe registers all of its metrics or none', () => {
  const registry = new MetricsRegistry()
  registry.gauge({ name: 'b', help: 'B.' })
  const register = () =>
    registry.observe({
      metrics: {
        a: { type: 'gauge', name: 'a', help: 'A.' },
        b: { type: 'gauge', name: 'b', help: 'B.' },
      },
      collect() {},
    })
  expect(register).toThrow(expect.objectContaining({ code: 'NAME_TAKEN' }))
  expect(registry.get('a')).toBeUndefined()
})

it.each([
  [{ name: 'jobs', help: 'Jobs.' }, 'name: expected the name of a counter to end in _total'],
  [{ name: '1_total', help: 'One.' }, 'name: expected letters, digits, _ and :'],
  [{ name: 'a_total', help: '' }, 'help: expected one line'],
  [{ name: 'a_total', help: 'A.', labelNames: ['__x'] }, 'labelNames.0: expected letters'],
  [
    { name: 'a_total', help: 'A.', labelNames: ['x', 'x'] },
    'labelNames: expected each label name once',
  ],
  [{ name: 'a_total', help: 'A.', expireAfterMs: 0 }, 'expireAfterMs'],
  [{ name: 'a_total', help: 'A.', label: ['x'] }, 'label'],
])('a counter cannot be defined as %j', (definition, message) => {
  const registry = new MetricsRegistry()
  expect(() => registry.counter(definition)).toThrow(message)
  expect(() => registry.counter(definition)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTIONS' }),
  )
})

it.each([{ maxSeriesPerMetric: 0 }, { clock: {} }, { collectTimeoutMs: '1' }, { maxSeries: 1 }])(
  'a registry cannot be made with %j',
  (options) => {
    expect(() => new MetricsRegistry(options as object)).toThrow(
      new RegExp(`^MetricsRegistry: .*${Object.keys(options)[0]}`),
    )
  },
)

it('help is escaped as each format wants it', () => {
  const registry = new MetricsRegistry()
  registry.gauge({ name: 'g', help: 'a "b" \\ c\nd' }).set(1)
  expect(registry.toPrometheus()).toContain('# HELP g a "b" \\\\ c\\nd\n')
  expect(registry.toPrometheus({ format: 'openmetrics' })).toContain(
    '# HELP g a \\"b\\" \\\\ c\\nd\n',
  )
})
