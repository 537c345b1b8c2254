import { expect, it } from 'vitest'
import { monotonicMs } from './monotonic.js'
import { queueWaitUs } from './queue-wait.js'

it('is the time from the submission to the start', () => {
  const startedAt = performance.now()
  expect(queueWaitUs(monotonicMs(startedAt) - 2, startedAt)).toBeCloseTo(2_000)
})

it('ends now where the call did not start', () => {
  expect(queueWaitUs(monotonicMs() - 1_000)).toBeGreaterThanOrEqual(1_000_000)
})

it('is not below zero when the submitting thread’s clock is ahead', () => {
  const startedAt = performance.now()
  expect(queueWaitUs(monotonicMs(startedAt) + 0.003, startedAt)).toBe(0)
})
