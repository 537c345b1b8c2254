import { expect, it } from 'vitest'
import { timeOrderedId } from './time-ordered-id.js'

it('makes UUIDs of version 7 that start with the time', () => {
  const before = Date.now()
  const id = timeOrderedId()
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  expect(time).toBeGreaterThanOrEqual(before)
  expect(time).toBeLessThanOrEqual(Date.now())
})

it('makes ever greater ones, however many in a millisecond and wherever the clock goes', () => {
  const now = Date.now() + 1000
  const ids = [now, now - 60_000, now].flatMap((ms) =>
    Array.from({ length: 5000 }, () => timeOrderedId(ms)),
  )
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
})
