import { expect, it } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'

const definition = { name: 'jobs_total', help: 'Jobs.', labelNames: ['queue', 'state'] } as const

it('a counter adds up per label set', () => {
  const registry = new MetricsRegistry()
  const jobs = registry.counter(definition)
  jobs.inc({ queue: 'mail', state: 'done' })
  jobs.inc({ queue: 'mail', state: 'done' }, 2.5)
  jobs.inc({ queue: 'mail', state: 'failed' }, 0)
  expect(registry.toPrometheus()).toBe(
    [
      '# HELP jobs_total Jobs.',
      '# TYPE jobs_total counter',
      'jobs_total{queue="mail",state="done"} 3.5',
      'jobs_total{queue="mail",state="failed"} 0',
      '',
    ].join('\n'),
  )
})

it('a value that is left out or undefined counts as 1, as with prom-client; null and NaN do not', () => {
  const jobs = new MetricsRegistry().counter(definition)
  const labels = { queue: 'mail', state: 'done' }
  const bound = jobs.bind(labels)
  jobs.inc(labels)
  jobs.inc(labels, undefined)
  bound.inc()
  bound.inc(undefined)
  for (const wrong of [null, Number.NaN] as never[]) {
    expect(() => jobs.inc(labels, wrong)).toThrow('takes numbers')
    expect(() => bound.inc(wrong)).toThrow('takes numbers')
  }
  expect(jobs.toSnapshot()).toMatchObject({ series: [{ value: 4 }] })
})

it('a counter without labels is there from the start, one with labels is not', () => {
  const registry = new MetricsRegistry()
  registry.counter({ name: 'plain_total', help: 'Plain.' })
  registry.counter(definition)
  expect(registry.toPrometheus()).toContain('plain_total 0')
  expect(registry.toPrometheus()).not.toContain('jobs_total')
})

it('a label left out, undefined and empty are the same series', () => {
  const registry = new MetricsRegistry()
  const jobs = registry.counter(definition)
  jobs.inc({ queue: 'mail' })
  jobs.inc({ queue: 'mail', state: undefined })
  jobs.inc({ queue: 'mail', state: '' })
  expect(registry.toPrometheus()).toContain('jobs_total{queue="mail"} 3\n')
})

it('numbers and booleans are labels as they are written', () => {
  const registry = new MetricsRegistry()
  const jobs = registry.counter(definition)
  jobs.inc({ queue: 1, state: true })
  jobs.inc({ queue: '1', state: 'true' })
  expect(registry.toPrometheus()).toContain('jobs_total{queue="1",state="true"} 2\n')
})

it('a bound handle adds to the same series', () => {
  const registry = new MetricsRegistry()
  const jobs = registry.counter(definition)
  const bound = jobs.bind({ queue: 'mail' })
  bound.inc()
  bound.inc(4)
  jobs.inc({ queue: 'mail' })
  expect(registry.toPrometheus()).toContain('jobs_total{queue="mail"} 6\n')
})

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('a counter does not grow by %s', (value) => {
  const registry = new MetricsRegistry()
  const jobs = registry.counter(definition)
  jobs.inc({ queue: 'mail' }, 5)
  expect(() => jobs.inc({ queue: 'mail' }, value)).toThrow(
    expect.objectContaining({ code: 'INVALID_VALUE' }),
  )
  expect(() => jobs.bind({ queue: 'mail' }).inc(value)).toThrow(/jobs_total takes numbers ≥ 0/)
  expect(registry.toPrometheus()).toContain('jobs_total{queue="mail"} 5\n')
})

it('an unknown label is an error on every call, also when the rest matches a known series', () => {
  const registry = new MetricsRegistry()
  const jobs = registry.counter(definition)
  jobs.inc({ queue: 'mail' })
  const mistyped = { queue: 'mail', stat: 'done' }
  for (let i = 0; i < 2; i++) {
    expect(() => jobs.inc(mistyped)).toThrow(
      'jobs_total has no label "stat"; expected queue, state.',
    )
  }
  const plain = registry.counter({ name: 'plain_total', help: 'Plain.' })
  const labels: object = { queue: 'mail' }
  expect(() => plain.inc(labels)).toThrow('expected no labels')
})

it('an exemplar is printed in OpenMetrics only', () => {
  const registry = new MetricsRegistry({ clock: { now: () => 1_500 } })
  registry.counter(definition).inc({ queue: 'mail' }, 2, { trace_id: 'a"b' })
  expect(registry.toPrometheus()).toContain('jobs_total{queue="mail"} 2\n')
  expect(registry.toPrometheus({ format: 'openmetrics' })).toBe(
    [
      '# TYPE jobs counter',
      '# HELP jobs Jobs.',
      'jobs_total{queue="mail"} 2 # {trace_id="a\\"b"} 2 1.5',
      '# EOF',
      '',
    ].join('\n'),
  )
})

it('an exemplar may have 128 characters and not one more', () => {
  const jobs = new MetricsRegistry().counter(definition)
  jobs.inc({}, 1, { id: 'é'.repeat(126) })
  expect(() => jobs.inc({}, 1, { id: 'é'.repeat(127) })).toThrow(
    expect.objectContaining({ code: 'INVALID_EXEMPLAR' }),
  )
})
