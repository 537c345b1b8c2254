import { expect, it } from 'vitest'
import { markComputedImports } from './computed-imports.js'

const MARK = 'globalThis[""]||'
const LINE_END = /\r\n|[\n\r\u2028\u2029]/g

/** The places that the text `import(` begins arguments at, as esbuild counts them. */
function placesIn(code: string) {
  const lines = code.split(LINE_END)
  return lines.flatMap((lineText, index) =>
    [...lineText.matchAll(/import\(/g)].map((match) => ({
      file: 'x',
      line: index + 1,
      column: match.index + match[0].length + 1,
      lineText,
    })),
  )
}

it('marks each argument, wherever lines end and in whatever order the places come', () => {
  const pieces = ['a', 'import(x)', '\n', '\r', '\r\n', '\u2028', '\u2029', '\n\n', '\r\r\n', 'é']
  let seed = 7
  const next = () => {
    seed = (seed * 48271) % 2147483647
    return seed
  }
  for (let round = 0; round < 500; round++) {
    const code = Array.from({ length: next() % 20 }, () => pieces[next() % pieces.length]).join('')
    const places = placesIn(code).sort(() => (next() % 3) - 1)
    const marked = code.replaceAll('import(x)', `import(${MARK}x)`)
    expect(markComputedImports(code, places), JSON.stringify(code)).toBe(marked)
  }
})

it('takes a file of millions of empty lines', () => {
  const code = `${'\n'.repeat(4_000_000)}import(x)`
  const places = [{ file: 'x', line: 4_000_001, column: 8, lineText: 'import(x)' }]
  expect(markComputedImports(code, places).endsWith(`import(${MARK}x)`)).toBe(true)
})
