import { expect, it } from 'vitest'
import type { PerformanceMetric } from '../metrics/metric.js'
import { findUxImprovements } from './ux-improvement.js'

function metrics(
  name: string,
  values: readonly number[],
  rest: Partial<PerformanceMetric> = {},
): PerformanceMetric[] {
  return values.map((value, i) => ({
    id: `${name}-${i}`,
    name,
    category: 'Interaction',
    value,
    unit: 'ms',
    timestamp: 0,
    metadata: { success: true },
    ...rest,
  }))
}

const vital = { category: 'Rendering', metadata: {} } as const

it('an interaction is judged by its 75th percentile', () => {
  expect(findUxImprovements(metrics('fine', [10, 20, 200, 200, 900]))).toEqual([])
  expect(findUxImprovements(metrics('slow', [10, 20, 30, 201, 201]))).toMatchObject([
    {
      id: 'slow-interaction:slow',
      severity: 'needs-improvement',
      value: 201,
      limit: 200,
      samples: 5,
    },
  ])
  expect(findUxImprovements(metrics('bad', [10, 20, 30, 501, 501]))).toMatchObject([
    { severity: 'poor' },
  ])
})

it('so are its failures', () => {
  const failing = [
    ...metrics('pay', Array(9).fill(10)),
    ...metrics('pay', [10], { metadata: { success: false } }),
  ]
  expect(findUxImprovements(failing)).toMatchObject([
    { id: 'failing-interaction:pay', value: 0.1, unit: 'ratio', severity: 'needs-improvement' },
  ])
})

it('web vitals are judged by the limits of web.dev', () => {
  const all = [
    ...metrics('LCP', Array(5).fill(2_501), vital),
    ...metrics('CLS', Array(5).fill(0.3), { ...vital, unit: 'score' }),
    ...metrics('INP', Array(5).fill(200), vital),
    ...metrics('other', Array(5).fill(9_999), vital),
  ]
  expect(findUxImprovements(all).map(({ id, severity }) => [id, severity])).toEqual([
    ['web-vital:CLS', 'poor'],
    ['web-vital:LCP', 'needs-improvement'],
  ])
})

it('fewer than five measurements say nothing', () => {
  expect(findUxImprovements(metrics('slow', [9_000, 9_000, 9_000, 9_000]))).toEqual([])
})
