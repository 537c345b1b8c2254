import { expect, it } from 'vitest'
import { restOfRange } from './sequence-range.js'

it.each([
  { query: {}, rest: { from: 3, to: 9 } },
  { query: { cursor: '7' }, rest: { from: 3, to: 6 } },
  { query: { order: 'desc' as const, cursor: '20' }, rest: { from: 3, to: 9 } },
  { query: { order: 'asc' as const, cursor: '7' }, rest: { from: 8, to: 9 } },
  { query: { order: 'asc' as const, cursor: '1' }, rest: { from: 3, to: 9 } },
])('a page goes on after its cursor: $query', ({ query, rest }) => {
  expect(restOfRange(query, { from: 3, to: 9 })).toEqual(rest)
})
