import { expect, it } from 'vitest'
import { ClaimAhead } from './claim-ahead.js'

it('claims nothing ahead until it knows how long handlers run', () => {
  expect(new ClaimAhead(16, 100).events).toBe(0)
})

it.each([
  [0, 100],
  [1, 100],
  [16, 100],
  [100, 16],
  [1_000, 1],
  [30_000, 0],
])('with handlers of %d ms it claims %d events ahead', (durationMs, events) => {
  const ahead = new ClaimAhead(16, 100)
  ahead.ran(durationMs)
  expect(ahead.events).toBe(events)
})

it('follows handlers that become slower', () => {
  const ahead = new ClaimAhead(4, 100)
  for (let n = 0; n < 100; n++) ahead.ran(1)
  expect(ahead.events).toBe(100)
  for (let n = 0; n < 100; n++) ahead.ran(10_000)
  expect(ahead.events).toBe(0)
})
