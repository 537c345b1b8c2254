import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from './clock.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

it('calls back when the time has come, once', () => {
  const callback = vi.fn()
  systemClock.schedule(callback, 100)
  vi.advanceTimersByTime(99)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(10_000)
  expect(callback).toHaveBeenCalledTimes(1)
})

it('waits by the monotonic clock: a wall clock that is set changes nothing', () => {
  const callback = vi.fn()
  systemClock.schedule(callback, 100)
  vi.setSystemTime(Date.now() - 3_600_000)
  vi.advanceTimersByTime(99)
  vi.setSystemTime(Date.now() + 7_200_000)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(callback).toHaveBeenCalledTimes(1)
})

it('waits longer than the longest timer of Node', () => {
  const callback = vi.fn()
  systemClock.schedule(callback, 2 ** 31 + 5)
  vi.advanceTimersByTime(2 ** 31)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(5)
  expect(callback).toHaveBeenCalledTimes(1)
})

it('never calls back once it is cancelled', () => {
  const callback = vi.fn()
  systemClock.schedule(callback, 100)()
  vi.advanceTimersByTime(1000)
  expect(callback).not.toHaveBeenCalled()
})
