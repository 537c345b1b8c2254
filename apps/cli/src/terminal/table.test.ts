import { expect, it } from 'vitest'
import { table } from './table.js'
import { type Style, styleOf } from './terminal.js'

const columns = [
  { title: 'NAME', value: (row: string[]) => row[0]! },
  { title: 'STATE', value: (row: string[]) => row[1]!, paint: (text: string) => `<${text}>` },
  { title: 'MEMORY', value: (row: string[]) => row[2]!, align: 'right' as const },
  { title: 'RESTARTS', value: () => '12', align: 'right' as const },
]
const rows = [
  ['web', 'online', '101.5 MB'],
  ['a-name-that-is-longer-than-a-narrow-terminal-is-wide', 'initialising', '2.0 MB'],
]

function ofWidth(width: number | undefined): Style {
  const stream = width === undefined ? {} : { isTTY: true, columns: width, hasColors: () => false }
  return styleOf(stream as unknown as NodeJS.WriteStream)
}

it.each([80, 60, 45, 40, 30])('fits a terminal of %i columns, with every value in it', (width) => {
  const text = table(columns, rows, ofWidth(width)).replace(/[<>]/g, '')
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  for (const value of ['web', 'online', '101.5 MB', 'initialising', '2.0 MB', 'a-name', '12']) {
    expect(text).toContain(value)
  }
})

it('is a line for each row in a pipe, and a block for each where lines do not fit', () => {
  expect(table(columns, rows, ofWidth(undefined)).trimEnd().split('\n')).toHaveLength(3)
  expect(table(columns, rows.slice(0, 1), ofWidth(30))).toBe(
    'web\n  STATE     <online>\n  MEMORY    101.5 MB\n  RESTARTS  12\n',
  )
})
