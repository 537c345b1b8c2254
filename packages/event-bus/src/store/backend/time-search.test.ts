import { expect, it } from 'vitest'
import { TimeSearch } from './time-search.js'

/** Events with gaps between their sequences, and some stored at the same time. */
const events = Array.from({ length: 60 }, (_, n) => ({
  sequence: 3 * n + (n % 2) + 1,
  publishedAtMs: 1_000 * Math.floor(n / 3),
}))
const range = { from: 1, to: events.at(-1)!.sequence }

function search(timeMs: number): { sequence: number; looks: number } {
  const timeSearch = new TimeSearch(range, new Date(timeMs))
  let looks = 0
  for (let look = timeSearch.look; look !== undefined; look = timeSearch.look) {
    const { from, to } = look
    timeSearch.found(events.find(({ sequence }) => sequence >= from && sequence <= to))
    looks += 1
  }
  return { sequence: timeSearch.sequence, looks }
}

it('finds where the events begin that were stored at a time or later, in few looks', () => {
  for (let timeMs = -500; timeMs < 22_000; timeMs += 250) {
    const { sequence, looks } = search(timeMs)
    const found = events.filter((event) => event.sequence >= sequence)
    const wanted = events.filter(({ publishedAtMs }) => publishedAtMs >= timeMs)
    expect(found, `at ${timeMs}`).toEqual(wanted)
    expect(looks).toBeLessThanOrEqual(9)
  }
})

it('ends one past a range without events', () => {
  const empty = new TimeSearch({ from: 1, to: 0 }, new Date(0))
  expect(empty.look).toBe(undefined)
  expect(empty.sequence).toBe(1)
})
