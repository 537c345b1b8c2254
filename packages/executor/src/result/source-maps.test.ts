import { expect, it } from 'vitest'
import { describeFailure } from './error-report.js'
import { sourceMapOf } from './source-maps.js'

const mapOf = (content: string) =>
  JSON.stringify({
    version: 3,
    sources: ['a.ts'],
    sourcesContent: [content],
    names: [],
    mappings: 'AAAA',
  })

it('a map is read once for all failed calls of a handler', () => {
  const text = mapOf('one')
  const map = sourceMapOf(text)
  expect(map).toBeDefined()
  expect(sourceMapOf(` ${text}`.slice(1))).toBe(map)
  expect(sourceMapOf(mapOf('two'))).not.toBe(map)
})

it.each([
  '',
  '{',
  'null',
  '5',
  '[]',
  '{}',
  '{"version":3}',
  '{"version":3,"sources":5,"mappings":{}}',
])('a map that is none does no harm: %j', (sourceMap) => {
  const report = { name: 'Error', message: 'x', stack: '    at f (h.js:1:1)' }
  const handler = { filename: 'h.js', sourceMap }
  const error = describeFailure({ code: 'EXECUTION_ERROR', report }, handler, (text) => text)
  expect(error).toMatchObject({ code: 'EXECUTION_ERROR', message: 'x' })
})

it.each([
  ['a', 1, '> 1 | a'],
  ['a\nb', 1, '> 1 | a\n  2 | b'],
  ['a\nb', 2, '  1 | a\n> 2 | b'],
  ['a\n', 2, '  1 | a\n> 2 |'],
  ['a\nb\nc\nd\ne\nf', 4, '  2 | b\n  3 | c\n> 4 | d\n  5 | e\n  6 | f'],
  ['\n\n\n', 4, '  2 |\n  3 |\n> 4 |'],
  ['a\nb', 3, undefined],
  ['a', 99, undefined],
])('of %j, the lines around line %i are shown', (source, line, lines) => {
  expect(linesAround(source, line)).toBe(lines)
})

it('the lines of a source of millions are found as well', () => {
  const lines = '  3999999 |\n  4000000 |\n> 4000001 | x'
  expect(linesAround(`${'\n'.repeat(4_000_000)}x`, 4_000_001)).toBe(lines)
})

function linesAround(source: string, line: number): string | undefined {
  const report = { name: 'Error', message: 'x', stack: `    at f (h.js:${line}:1)` }
  const error = describeFailure(
    { code: 'EXECUTION_ERROR', report },
    { filename: 'h.js', source },
    (text) => text,
  )
  return error.sourceLines
}
