import { expect, it } from 'vitest'
import { clipLine, clipText } from './clip-text.js'

it('a text that fits is left as it is, and one that does not says that it was cut', () => {
  expect(clipText('12345', 5)).toBe('12345')
  expect(clipText('123456', 5)).toBe('1234…')
})

it('a character of two units is not cut in half', () => {
  expect(clipText('123\u{1f600}56', 5)).toBe('123…')
  expect(clipLine(`${'x'.repeat(15)}\u{1f600}${'y'.repeat(30)}`, 10, 22)).not.toMatch(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/,
  )
})

it.each([1, 40, 74, 76, 500, 990, 1000])('of a long line, column %i stays in view', (column) => {
  const line = `${'.'.repeat(column - 1)}!${'.'.repeat(1000 - column)}`
  const clipped = clipLine(line, 100, column)
  expect(clipped).toContain('!')
  expect(clipped.length).toBeLessThanOrEqual(100)
  expect(clipped).toContain('…')
})
