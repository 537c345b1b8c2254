import { expect, it } from 'vitest'
import { QuantileSketch } from './quantile-sketch.js'

/** Numbers between 0 and 1, the same in every run. */
function* random(seed: number): Generator<number, never> {
  let state = seed
  while (true) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    yield state / 2 ** 31
  }
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}

it.each([
  ['spread over twelve decades', (r: number) => 10 ** (r * 12 - 6)],
  ['uniform', (r: number) => r * 1000],
  ['of both signs', (r: number) => (r - 0.5) * 1e4],
  ['negative', (r: number) => -1 - r * 50],
])('quantiles of values that are %s are within 0.8 %%', (_, shape) => {
  const source = random(7)
  const values = Array.from({ length: 20_000 }, () => shape(source.next().value))
  const sketch = new QuantileSketch()
  for (const value of values) sketch.add(value)
  const exact = sorted(values)
  for (const q of [0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1]) {
    const expected = exact[Math.max(1, Math.ceil(q * values.length)) - 1]!
    const error = Math.abs(sketch.quantile(q) - expected)
    expect(error, `quantile ${q}`).toBeLessThanOrEqual(Math.abs(expected) * 0.008)
  }
})

it('two sketches add up to the sketch of all values', () => {
  const source = random(3)
  const [a, b, all] = [new QuantileSketch(), new QuantileSketch(), new QuantileSketch()]
  for (let i = 0; i < 5_000; i++) {
    const value = (source.next().value - 0.3) * 10 ** (i % 5)
    ;(i % 3 === 0 ? a : b).add(value)
    all.add(value)
  }
  a.merge(b)
  expect(a.snapshot()).toEqual(all.snapshot())
  const copy = new QuantileSketch()
  copy.merge(JSON.parse(JSON.stringify(all.snapshot())))
  expect(copy.snapshot()).toEqual(all.snapshot())
  expect(copy.count).toBe(5_000)
})

it('an empty sketch has no quantile, a cleared one neither', () => {
  const sketch = new QuantileSketch()
  expect(sketch.quantile(0.5)).toBeNaN()
  sketch.add(3)
  sketch.add(-3)
  sketch.add(0)
  expect([sketch.min, sketch.quantile(0.5), sketch.max]).toEqual([-3, 0, 3])
  sketch.clear()
  expect([sketch.count, sketch.min, sketch.quantile(0.5), sketch.max]).toEqual([0, NaN, NaN, NaN])
})

it('extreme magnitudes stay in bounded memory and in order', () => {
  const sketch = new QuantileSketch()
  for (const value of [Number.MIN_VALUE, Number.MAX_VALUE, 1, 5e-324, 1e300]) sketch.add(value)
  expect(sketch.quantile(0)).toBe(Number.MIN_VALUE)
  expect(sketch.quantile(0.5)).toBeCloseTo(1, 1)
  expect(sketch.quantile(1)).toBe(Number.MAX_VALUE)
  expect(sketch.snapshot().positive.length).toBeLessThanOrEqual(3)
})
