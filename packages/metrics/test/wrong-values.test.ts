import { MetricsCollector, MetricsError, MetricsRegistry } from '@nexus/metrics'
import { describe, expect, it } from 'vitest'
import { parseExposition } from './support/parse-exposition.js'
import { Random } from './support/random.js'

/** Whatever a program without types might hand over where a number is expected. */
const ZOO: readonly unknown[] = [
  ...[null, true, false, '', '2', '0213', 'true', 'NaN', '1e3', '\n', '# EOF'],
  ...[2n, -1n, Symbol('s'), Symbol.iterator, () => 1, class {}, [], [1], ['"'], [[]]],
  ...[new Date(0), new Number(5), new String('5'), /x/, new Map([[1, 2]]), Object.create(null)],
  { valueOf: () => 3 },
  {
    toString() {
      throw new Error('must not be asked')
    },
    valueOf() {
      throw new Error('must not be asked')
    },
  },
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...[-0, -1, 0.1, 5, 1e308, Number.MAX_VALUE, Number.MIN_VALUE],
]

/** For titles: a value of the zoo may not be printed. */
const NAMED = ZOO.map((value, i) => [`${typeof value} no. ${i}`, value] as const)

type Entry = (value: never) => unknown

/** Every way in which a number gets into a registry, of each kind of metric. */
function entries() {
  const registry = new MetricsRegistry()
  const labelNames = ['of'] as const
  const of = { of: 'x' }
  const plain = {
    counter: registry.counter({ name: 'a_total', help: 'A.' }),
    gauge: registry.gauge({ name: 'b', help: 'B.' }),
    histogram: registry.histogram({ name: 'c', help: 'C.' }),
    summary: registry.summary({ name: 'd', help: 'D.' }),
  }
  const labelled = {
    counter: registry.counter({ name: 'e_total', help: 'E.', labelNames }),
    gauge: registry.gauge({ name: 'f', help: 'F.', labelNames }),
    histogram: registry.histogram({ name: 'g', help: 'G.', labelNames }),
    summary: registry.summary({ name: 'h', help: 'H.', labelNames }),
  }
  const bound = {
    counter: labelled.counter.bind(of),
    gauge: labelled.gauge.bind(of),
    histogram: labelled.histogram.bind(of),
    summary: labelled.summary.bind(of),
  }
  plain.gauge.set(0)
  const add: Record<string, Entry> = {}
  for (const [kind, metrics] of Object.entries({ plain, bound })) {
    add[`${kind} counter.inc`] = (value) => metrics.counter.inc(value)
    add[`${kind} gauge.set`] = (value) => metrics.gauge.set(value)
    add[`${kind} gauge.inc`] = (value) => metrics.gauge.inc(value)
    add[`${kind} gauge.dec`] = (value) => metrics.gauge.dec(value)
    add[`${kind} histogram.observe`] = (value) => metrics.histogram.observe(value)
    add[`${kind} summary.observe`] = (value) => metrics.summary.observe(value)
  }
  const fresh = { of: 'y' }
  add['counter.inc with new labels'] = (value) => labelled.counter.inc(fresh, value)
  add['gauge.set with new labels'] = (value) => labelled.gauge.set(fresh, value)
  add['gauge.inc with new labels'] = (value) => labelled.gauge.inc(fresh, value)
  add['histogram.observe with new labels'] = (value) => labelled.histogram.observe(fresh, value)
  add['summary.observe with new labels'] = (value) => labelled.summary.observe(fresh, value)
  add['exemplar with new labels'] = (value) => labelled.counter.inc(fresh, 1, value)
  add['counter.inc with labels'] = (value) => labelled.counter.inc(of, value)
  add['gauge.set with labels'] = (value) => labelled.gauge.set(of, value)
  add['gauge.inc with labels'] = (value) => labelled.gauge.inc(of, value)
  add['gauge.dec with labels'] = (value) => labelled.gauge.dec(of, value)
  add['histogram.observe with labels'] = (value) => labelled.histogram.observe(of, value)
  add['summary.observe with labels'] = (value) => labelled.summary.observe(of, value)
  add['exemplar of counter.inc'] = (value) => labelled.counter.inc(of, 1, value)
  add['label of an exemplar'] = (value) => bound.histogram.observe(1, { trace_id: value })
  add['exemplar of a bound counter'] = (value) => bound.counter.inc(1, value)
  return { registry, add }
}

function expositions(registry: MetricsRegistry): string[] {
  return (['text', 'openmetrics'] as const).map((format) => registry.toPrometheus({ format }))
}

describe.each(Object.keys(entries().add))('%s', (name) => {
  it.each(NAMED)('takes %s as a number or refuses it', (_, value) => {
    const { registry, add } = entries()
    const before = expositions(registry)
    try {
      add[name]!(value as never)
    } catch (error) {
      expect(error).toBeInstanceOf(MetricsError)
      expect(expositions(registry)).toEqual(before)
      return
    }
    for (const text of expositions(registry)) parseExposition(text)
  })
})

it('a gauge is not set to a value that is missing, and gets no series', () => {
  const registry = new MetricsRegistry()
  const gauge = registry.gauge({ name: 'g', help: 'G.' })
  expect(() => gauge.set(undefined as never)).toThrow('takes numbers; got undefined')
  expect(() => gauge.set({}, undefined as never)).toThrow('takes numbers; got undefined')
  expect(registry.toPrometheus()).toBe('')
})

it('any sequence of calls leaves a scrape that can be read, with finite totals', () => {
  const random = new Random(15)
  const { registry, add } = entries()
  const names = Object.keys(add)
  for (let i = 0; i < 5_000; i++) {
    try {
      add[random.pick(names)]!(random.pick(ZOO) as never)
    } catch (error) {
      expect(error).toBeInstanceOf(MetricsError)
    }
    if (i % 50 === 0) for (const text of expositions(registry)) parseExposition(text)
  }
  for (const text of expositions(registry)) {
    const { samples } = parseExposition(text)
    const totals = samples.filter(({ name }) => /_(total|sum|count|bucket)$/.test(name))
    expect(totals.length).toBeGreaterThan(10)
    for (const { value } of totals) expect(value).toSatisfy(Number.isFinite)
  }
})

it.each(NAMED)(
  'a callback that reports %s harms neither the scrape nor its other figures',
  async (_, value) => {
    const registry = new MetricsRegistry()
    registry.observe({
      metrics: {
        wrong: { type: 'gauge', name: 'wrong', help: 'Wrong.' },
        total: { type: 'counter', name: 'seen_total', help: 'Wrong.' },
        right: { type: 'gauge', name: 'right', help: 'Right.' },
      },
      collect(observe) {
        observe.wrong(value as number)
        observe.total(value as number)
        observe.right(7)
      },
    })
    for (let i = 0; i < 2; i++) {
      let text = ''
      for await (const chunk of registry.scrape()) text += chunk
      const { samples } = parseExposition(text)
      const shown = (name: string) => samples.find((sample) => sample.name === name)?.value
      expect(shown('right')).toBe(7)
      const isTotal = typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
      expect(shown('wrong')).toEqual(typeof value === 'number' ? value + 0 : undefined)
      expect(shown('seen_total')).toEqual(isTotal ? value + 0 : undefined)
    }
    const isTotal = typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
    expect(registry.getStats().failedCollects).toBe(isTotal ? 0 : 2)
  },
)

it('what a program does with the labels of an exemplar later does not reach a scrape', () => {
  const registry = new MetricsRegistry()
  const labels: Record<string, unknown> = { trace_id: 'abc' }
  registry.counter({ name: 'a_total', help: 'A.' }).inc({}, 1, labels as Record<string, string>)
  labels.trace_id = ['"']
  labels['no name'] = '\n'
  expect(registry.toPrometheus({ format: 'openmetrics' })).toContain('# {trace_id="abc"} 1 ')
})

it.each(NAMED.filter(([, value]) => typeof value !== 'number'))(
  'an execution with %s as a figure is refused whole',
  (_, value) => {
    const collector = new MetricsCollector()
    const execution = { functionName: 'f', status: 'success', cacheTier: 'none', durationUs: 1 }
    const before = collector.toPrometheus()
    for (const figure of ['durationUs', 'compileTimeUs', 'memoryUsedBytes', 'hostCalls']) {
      const wrong = { ...execution, [figure]: value }
      expect(() => collector.recordExecution(wrong as never, true)).toThrow(MetricsError)
    }
    expect(collector.toPrometheus()).toBe(before)
  },
)

it('an execution without its duration is refused whole', () => {
  const collector = new MetricsCollector()
  const execution = { functionName: 'f', status: 'success', cacheTier: 'none' }
  const before = collector.toPrometheus()
  for (const wrong of [execution, { ...execution, durationUs: undefined }]) {
    expect(() => collector.recordExecution(wrong as never, true)).toThrow(
      'Expected durationUs of an execution of f to be a finite number',
    )
  }
  expect(collector.toPrometheus()).toBe(before)
  expect(collector.avgExecutionTimeUs()).toBe(0)
})
