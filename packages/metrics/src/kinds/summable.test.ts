import { describe, expect, it } from 'vitest'
import { MetricsRegistry } from '../registry/registry.js'

/** Every kind that keeps a running sum, and how to add to it. */
function kinds() {
  const registry = new MetricsRegistry()
  const counter = registry.counter({ name: 'a_total', help: 'a' })
  const histogram = registry.histogram({ name: 'b', help: 'b' })
  const summary = registry.summary({ name: 'c', help: 'c' })
  const add: Record<string, (value: number) => void> = {
    counter: (value) => counter.inc(value),
    'bound counter': (value) => counter.bind().inc(value),
    histogram: (value) => histogram.observe(value),
    'bound histogram': (value) => histogram.bind().observe(value),
    summary: (value) => summary.observe(value),
    'bound summary': (value) => summary.bind().observe(value),
  }
  return { registry, add }
}

describe.each(Object.keys(kinds().add))('a %s', (kind) => {
  it('refuses a value that would make its sum infinite, and keeps counting', () => {
    const { registry, add } = kinds()
    add[kind]!(1e308)
    expect(() => add[kind]!(1e308)).toThrow('finite')
    add[kind]!(1)
    const text = registry.toPrometheus()
    expect(text).not.toMatch(/Inf$/m)
  })

  it.each([
    ['a string', '2'],
    ['true', true],
    ['a BigInt', 2n],
    ['NaN', Number.NaN],
  ])('refuses %s, and its sum stays as it was', (_, value) => {
    const { registry, add } = kinds()
    add[kind]!(1)
    const before = registry.toPrometheus()
    expect(() => add[kind]!(value as number)).toThrow()
    expect(registry.toPrometheus()).toBe(before)
  })
})
