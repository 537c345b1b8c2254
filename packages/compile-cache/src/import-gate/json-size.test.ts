import { expect, it } from 'vitest'
import { hasTooManyTokens, textOf } from './json-size.js'

it.each<[string, (count: number) => string]>([
  ['values of a list', (count) => `[${'1,'.repeat(count - 1)}1]`],
  ['lists in each other', (count) => '['.repeat(count) + ']'.repeat(count)],
  ['objects of a list', (count) => `[${'{},'.repeat(count / 2 - 1)}{}]`],
  ['names', (count) => `{${'"a":1,'.repeat(count / 2 - 1)}"a":1}`],
])('100,000 %s are taken, and more are not', (_what, json) => {
  expect(hasTooManyTokens(json(100_000))).toBe(false)
  expect(hasTooManyTokens(json(100_002))).toBe(true)
})

it.each([
  ['commas in a text', JSON.stringify(','.repeat(200_000))],
  ['quotes in a text', JSON.stringify(`${'",'.repeat(200_000)}`)],
  ['backslashes before the end of a text', JSON.stringify(`${','.repeat(200_000)}\\\\\\`)],
  ['a text that never ends', `"${','.repeat(200_000)}`],
])('what is inside a text does not count: %s', (_what, json) => {
  expect(hasTooManyTokens(json)).toBe(false)
})

it('leaves out the mark of the byte order', () => {
  expect(textOf(Buffer.from('\ufeff{}'))).toBe('{}')
})
