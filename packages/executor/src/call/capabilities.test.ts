import { expect, it } from 'vitest'
import { isGranted } from './capabilities.js'

it.each([
  ['events:emit:a.b', 'events:emit:a.b', true],
  ['events:emit:a.*', 'events:emit:a.b', true],
  ['events:emit:a.*', 'events:emit:a.b.c', false],
  ['events:emit:a.*', 'events:emit:a', false],
  ['events:emit:*.b', 'events:emit:a.b', true],
  ['events:emit:a.>', 'events:emit:a.b.c', true],
  ['events:emit:a.>', 'events:emit:a', false],
  ['events:emit:>', 'events:emit:a', true],
  ['events:emit:a', 'events:emit:ab', false],
  ['events:emit:a.*', 'ext:a.b', false],
  ['ext:*', 'ext:db', true],
  ['ext:*', 'events:emit:db', false],
  ['*', 'ext:db', false],
  ['ext:db', 'ext:db:x', false],
])('%s grants %s: %s', (token, asked, granted) => {
  expect(isGranted([token], asked)).toBe(granted)
})

it('grants nothing without a token', () => {
  expect(isGranted([], 'ext:db')).toBe(false)
})
