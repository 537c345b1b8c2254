import { expect, it } from 'vitest'
import { orderingKeyReader } from '../event/ordering-key.js'
import { emittedId } from '../publish/emitted-id.js'
import { retryDelayMs } from './handler/retry-delay.js'
import { RateLimiter } from './queue/rate-limiter.js'

const retry = { maxAttempts: 9, baseDelayMs: 100, maxDelayMs: 5000, factor: 2, jitter: 0 }

it('waits grow by the factor up to the longest', () => {
  const waits = [1, 2, 3, 6, 7, 50].map((attempt) => retryDelayMs(attempt, retry))
  expect(waits).toEqual([100, 200, 400, 3200, 5000, 5000])
})

it('jitter takes away at most its share', () => {
  const jittery = { ...retry, jitter: 0.5 }
  expect(retryDelayMs(2, jittery, () => 0)).toBe(200)
  expect(retryDelayMs(2, jittery, () => 1)).toBe(100)
})

it('ids of emitted events differ by everything they come from, and by nothing else', () => {
  const event = { id: 'event', source: '/s', time: '2026-01-02T03:04:05.006Z' }
  const id = emittedId(event, 'group', 0, 0)
  expect(emittedId({ ...event }, 'group', 0, 0)).toBe(id)
  for (const other of [
    emittedId({ ...event, id: 'other' }, 'group', 0, 0),
    emittedId({ ...event, source: '/other' }, 'group', 0, 0),
    emittedId(event, 'other', 0, 0),
    emittedId(event, 'group', 1, 0),
    emittedId(event, 'group', 0, 1),
  ]) {
    expect(other).not.toBe(id)
  }
})

it('ids of emitted events grow with the time of the event they come from', () => {
  const ids = [
    '1969-07-20T20:17:40Z',
    '2026-01-02T03:04:05.006Z',
    '2026-01-02T03:04:05.007Z',
    '9999-12-31T23:59:59Z',
  ].map((time) => emittedId({ id: 'event', source: '/s', time }, 'group', 0, 0))
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(ids.map((id) => id.length))).toEqual(new Set([45]))
})

it('a rate limiter gives one second at once, then evenly', () => {
  let now = 0
  const limiter = new RateLimiter(10, {
    now: () => 0,
    monotonic: () => now,
    schedule: () => () => {},
  })
  expect(limiter.available()).toBe(10)
  limiter.take(10)
  expect(limiter.available()).toBe(0)
  expect(limiter.waitMs()).toBe(100)
  now += 99
  expect(limiter.available()).toBe(0)
  now += 1
  expect(limiter.available()).toBe(1)
  now += 60_000
  expect(limiter.available()).toBe(10)
})

it('an ordering key is read by path or by function, own properties only', () => {
  const event = {
    specversion: '1.0' as const,
    id: '1',
    source: '/',
    type: 'a',
    time: '2026-01-01T00:00:00Z',
    data: { order: { id: 7 }, list: [1] },
  }
  expect(orderingKeyReader('data.order.id')(event)).toBe('7')
  expect(orderingKeyReader('data.order')(event)).toBe(undefined)
  expect(orderingKeyReader('data.missing.id')(event)).toBe(undefined)
  expect(orderingKeyReader('data.constructor')(event)).toBe(undefined)
  expect(orderingKeyReader(({ type }) => type)(event)).toBe('a')
})
