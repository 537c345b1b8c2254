import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Random } from '../../test/support/random.js'
import { EventLoopDelay } from './event-loop-delay.js'

let nowMs = 0

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** The loop turns freely. */
function idle(ms: number): void {
  for (let passed = 0; passed < ms; passed += 10) {
    nowMs += 10
    vi.advanceTimersByTime(10)
  }
}

/** The loop is blocked; its timer runs late, at the next turn. */
const block = (ms: number) => {
  nowMs += ms
}
const turn = () => vi.advanceTimersByTime(10)

it('says nothing before the first moment, and no delay of a loop that is free', () => {
  const delay = new EventLoopDelay()
  expect(delay.read()).toMatchObject({ count: 0, max: 0, p99: 0 })
  idle(1_000)
  const { count, p99, max } = delay.read()
  expect(count).toBe(100)
  expect(p99).toBeLessThan(0.001)
  expect(max).toBeLessThan(0.001)
  delay.close()
})

it('a block right before a reading counts with it, once', () => {
  const delay = new EventLoopDelay()
  idle(100)
  block(500)
  const { max, p99 } = delay.read()
  expect(max).toBeCloseTo(490, 0)
  expect(p99).toBeGreaterThan(450)
  turn()
  idle(1_000)
  expect(delay.read().max).toBeLessThan(1)
  delay.close()
})

it('a block right after a reading counts with the next', () => {
  const delay = new EventLoopDelay()
  idle(100)
  delay.read()
  block(500)
  turn()
  idle(100)
  expect(delay.read().max).toBeCloseTo(490, 0)
  delay.close()
})

it('a percentile is the share of the time: 300 ms of 10 s are more than 1 %', () => {
  const delay = new EventLoopDelay()
  idle(4_850)
  block(300)
  turn()
  idle(4_850)
  const { p50, p90, p99 } = delay.read()
  expect(p99).toBeGreaterThan(150)
  expect(p90).toBeLessThan(1)
  expect(p50).toBeLessThan(1)
  delay.close()
})

it('whenever it is read, no block is lost and none counts twice', () => {
  const random = new Random(5)
  for (let round = 0; round < 50; round++) {
    const delay = new EventLoopDelay()
    idle(20)
    const blocks: number[] = []
    const seen: number[] = []
    const read = () => {
      const { max } = delay.read()
      if (max > 1) seen.push(Math.round(max / 10) * 10)
    }
    for (let i = 0; i < 20; i++) {
      const ms = 20 + 10 * random.below(100)
      blocks.push(ms - 10)
      block(ms)
      if (random.next() < 0.5) read()
      turn()
      idle(10 * (1 + random.below(5)))
      read()
    }
    expect(seen).toEqual(blocks)
    delay.close()
  }
})

it('an hour of sleep is a bounded number of moments', () => {
  const delay = new EventLoopDelay()
  block(3_600_000)
  const { count, max } = delay.read()
  expect(max).toBeGreaterThan(3_590_000)
  expect(count).toBeLessThanOrEqual(1_001)
  delay.close()
})
