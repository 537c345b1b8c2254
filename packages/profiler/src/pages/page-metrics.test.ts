import { expect, it } from 'vitest'
import { InvalidMetricError } from '../errors.js'
import { parsePageMetrics } from './page-metrics.js'

const page = (value: unknown) => ({ page: '/', metrics: [{ name: 'a', unit: 'ms', value }] })

it('takes a value up to 1e15 in either direction', () => {
  for (const value of [1e15, -1e15, 0]) {
    expect(parsePageMetrics(page(value))).toMatchObject([{ value }])
  }
})

it.each([1.1e15, -1.1e15, 1e308, -1e308, Number.MAX_VALUE])(
  'refuses %d, which would make a sum infinite',
  (value) => {
    expect(() => parsePageMetrics(page(value))).toThrow(InvalidMetricError)
  },
)
