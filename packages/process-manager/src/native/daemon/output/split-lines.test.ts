import { expect, it } from 'vitest'
import { CUT_MARK, MAX_LINE_BYTES, splitLines } from './split-lines.js'

const longest = 'x'.repeat(MAX_LINE_BYTES)

it('leaves a line of the longest kind whole, and marks where a longer one is cut', () => {
  expect(splitLines(Buffer.from(`${longest}\nrest`), false)).toEqual({
    lines: [longest],
    taken: MAX_LINE_BYTES + 1,
  })
  expect(splitLines(Buffer.from(`${longest}y\n`), false)).toEqual({
    lines: [longest + CUT_MARK, 'y'],
    taken: MAX_LINE_BYTES + 2,
  })
})

it('waits for the end of a line, unless nothing follows', () => {
  expect(splitLines(Buffer.from('one\ntwo'), false)).toEqual({ lines: ['one'], taken: 4 })
  expect(splitLines(Buffer.from('one\ntwo'), true)).toEqual({ lines: ['one', 'two'], taken: 7 })
  expect(splitLines(Buffer.from(longest), false)).toEqual({ lines: [], taken: 0 })
  expect(splitLines(Buffer.alloc(0), true)).toEqual({ lines: [], taken: 0 })
})

it('cuts no character in two, and loses no byte of a long line, wherever its parts begin', () => {
  for (const before of ['', 'a', 'ab', 'abc']) {
    const text = before + '🦊'.repeat(MAX_LINE_BYTES)
    const { lines, taken } = splitLines(Buffer.from(`${text}\n`), false)
    expect(taken).toBe(Buffer.byteLength(text) + 1)
    const parts = lines.map((line) => line.replace(CUT_MARK, ''))
    expect(parts.join('')).toBe(text)
    expect(lines.filter((line) => line.endsWith(CUT_MARK))).toHaveLength(lines.length - 1)
    for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(MAX_LINE_BYTES)
  }
})
