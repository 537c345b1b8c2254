import { expect, it } from 'vitest'
import { SortedTable } from './sorted-table.js'

const keysOf = (entries: { key: unknown }[]): unknown[] => entries.map(({ key }) => key)

it('keeps keys in order and ranges half open, in both directions', () => {
  const table = new SortedTable()
  for (const n of [5, 1, 4, 2, 3]) table.put(n, `v${n}`)
  table.put(3, 'new')
  table.remove(4)
  table.remove(9)
  expect(table.get(3)).toBe('new')
  expect(keysOf(table.range({ start: 1, end: 5 }))).toEqual([1, 2, 3])
  expect(keysOf(table.range({ start: 5, end: 1, reverse: true }))).toEqual([5, 3, 2])
  expect(keysOf(table.range({ start: 4, end: 0, reverse: true, limit: 2 }))).toEqual([3, 2])
  expect(keysOf(table.range({ start: 2, end: 9, limit: 2 }))).toEqual([2, 3])
  expect(table.count({ start: 2, end: 9 })).toBe(3)
})

it('compares keys of several parts part by part', () => {
  const table = new SortedTable()
  for (const key of [
    ['b', 1],
    ['a', 10],
    ['a', 9],
    ['a', 10, 0],
  ])
    table.put(key, key)
  expect(keysOf(table.range({ start: ['a', 9], end: ['b', 2] }))).toEqual([
    ['a', 9],
    ['a', 10],
    ['a', 10, 0],
    ['b', 1],
  ])
})
