import { expect, it } from 'vitest'
import { RestartBackoff } from './restart-backoff.js'

const rule = { maxRestarts: 4, minUptimeMs: 1_000, baseDelayMs: 100, maxDelayMs: 500 }

it('waits twice as long after every early end, up to a limit, then gives up', () => {
  const backoff = new RestartBackoff(rule)
  const delays = Array.from({ length: 5 }, () => backoff.afterEnd(true))
  expect(delays).toEqual([100, 200, 400, 500, null])
})

it('begins again after an instance that lived long enough, and when it is told to', () => {
  const backoff = new RestartBackoff(rule)
  backoff.afterEnd(true)
  backoff.afterEnd(true)
  expect(backoff.afterEnd(false)).toBe(100)
  expect(backoff.afterEnd(true)).toBe(100)
  backoff.reset()
  expect(backoff.afterEnd(true)).toBe(100)
})

it('tries never again where no restart is allowed', () => {
  expect(new RestartBackoff({ ...rule, maxRestarts: 0 }).afterEnd(true)).toBeNull()
})
