import { expect, it } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'

it('a gauge is set, goes up and goes down, with and without a handle', () => {
  const registry = new MetricsRegistry()
  const plain = registry.gauge({ name: 'plain', help: 'Plain.' })
  plain.set(5)
  plain.inc()
  plain.dec(3)
  const rooms = registry.gauge({ name: 'rooms', help: 'Rooms.', labelNames: ['floor'] })
  rooms.set({ floor: 1 }, 10)
  rooms.inc({ floor: 1 })
  rooms.dec({ floor: 1 }, 4)
  const second = rooms.bind({ floor: 2 })
  second.set(1)
  second.inc(2)
  second.dec()
  const text = registry.toPrometheus()
  expect(text).toContain('plain 3\n')
  expect(text).toContain('rooms{floor="1"} 7\nrooms{floor="2"} 2\n')
})

it('a gauge takes NaN and both infinities', () => {
  const registry = new MetricsRegistry()
  const odd = registry.gauge({ name: 'odd', help: 'Odd.', labelNames: ['v'] })
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    odd.set({ v: String(value) }, value)
  }
  expect(registry.toPrometheus()).toContain(
    'odd{v="NaN"} NaN\nodd{v="Infinity"} +Inf\nodd{v="-Infinity"} -Inf\n',
  )
})

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a gauge refuses to change by %s, which no later change could undo',
  (value) => {
    const gauge = new MetricsRegistry().gauge({ name: 'busy', help: 'Busy.', labelNames: ['of'] })
    const bound = gauge.bind({ of: 'bound' })
    gauge.set({ of: 'labelled' }, 5)
    for (const change of [
      () => gauge.inc({ of: 'labelled' }, value),
      () => gauge.dec({ of: 'labelled' }, value),
      () => bound.inc(value),
      () => bound.dec(value),
    ]) {
      expect(change).toThrow('takes finite changes')
    }
    expect(gauge.toSnapshot()).toMatchObject({ series: [{ value: 0 }, { value: 5 }] })
  },
)

it('a gauge stays finite, unless it was set to what is not: that stays until it is set again', () => {
  const registry = new MetricsRegistry()
  const gauge = registry.gauge({ name: 'g', help: 'G.' })
  gauge.set(Number.MAX_VALUE)
  expect(() => gauge.inc(Number.MAX_VALUE)).toThrow('changes that keep it finite')
  gauge.dec(Number.MAX_VALUE)
  expect(registry.toPrometheus()).toContain('\ng 0\n')
  gauge.set(Number.NaN)
  gauge.inc()
  expect(registry.toPrometheus()).toContain('\ng NaN\n')
  gauge.set(1)
  gauge.inc(undefined)
  expect(registry.toPrometheus()).toContain('\ng 2\n')
})

it('a line is written again once the value changed', () => {
  const registry = new MetricsRegistry()
  const gauge = registry.gauge({ name: 'g', help: 'G.' })
  for (const value of [1, 1, 2, Number.NaN, 0]) {
    gauge.set(value)
    expect(registry.toPrometheus()).toContain(`\ng ${value}\n`)
  }
})
