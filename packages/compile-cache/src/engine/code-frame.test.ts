import { expect, it } from 'vitest'
import { locate, locateOffset } from './code-frame.js'

const texts = ['', 'a', '\n', 'a\n', '\na', 'a\nb', 'a\r\nb\r\n', '\n\n\n', 'é\n\u2028b\nc']

it.each(texts)('finds each line of %j as splitting it would', (text) => {
  const lines = text.split('\n')
  for (let line = 1; line <= lines.length + 1; line++) {
    const lineText = lines[line - 1]?.replace(/\r$/, '') ?? ''
    expect(locate(text, 'f', line, 3)).toEqual({ file: 'f', line, column: 3, lineText })
  }
})

it.each(texts)('finds the place of each character of %j', (text) => {
  for (let offset = 0; offset <= text.length; offset++) {
    const before = text.slice(0, offset).split('\n')
    const place = { line: before.length, column: before.at(-1)!.length + 1 }
    expect(locateOffset(text, 'f', offset)).toMatchObject(place)
  }
})

it('takes a text of millions of empty lines', () => {
  const text = '\n'.repeat(4_000_000)
  expect(locateOffset(text, 'f', 4_000_000)).toMatchObject({ line: 4_000_001, column: 1 })
})
