import type { Style } from './terminal.js'

/** A column of a table. */
export interface Column<Row> {
  title: string
  value(row: Row): string
  /** Figures stand to the right. @default 'left' */
  align?: 'left' | 'right'
  /** Colours the value once it has its width. */
  paint?(text: string, row: Row): string
}

const maxWidth = 80
const minFirstWidth = 8
const gap = '  '

/**
 * Rows under titles, at most as wide as the terminal and 80 characters: the first column gives way. On a terminal that is
 * too narrow even then, each row is a block with a line for each column.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => value(row)))
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map((row) => row[i]!.length)),
  )
  const others = widths.slice(1).reduce((sum, width) => sum + width + gap.length, 0)
  const room = Math.min(maxWidth, style.width) - others
  if (room < Math.min(minFirstWidth, widths[0]!) && style.width < maxWidth) {
    return rows.map((row, r) => block(columns, row, cells[r]!, style)).join('\n')
  }
  widths[0] = Math.min(widths[0]!, Math.max(minFirstWidth, room))
  const head = columns.map(({ title, align }, i) => fit(title, widths[i]!, align))
  const lines = rows.map((row, r) =>
    columns.map(({ align, paint }, i) => {
      const text = fit(cells[r]![i]!, widths[i]!, align)
      return paint ? paint(text, row) : text
    }),
  )
  return [style.dim(head.join(gap).trimEnd()), ...lines.map((line) => line.join(gap).trimEnd())]
    .map((line) => `${line}\n`)
    .join('')
}

/** The first column as a heading, and below it the others by their titles. */
function block<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  cells: readonly string[],
  { bold, dim, width }: Style,
): string {
  const titleWidth = Math.max(...columns.slice(1).map(({ title }) => title.length))
  const lines = columns.slice(1).map(({ title, paint }, i) => {
    const text = clip(cells[i + 1]!, Math.max(1, width - titleWidth - 2 * gap.length))
    const label = dim(title.padEnd(titleWidth))
    return `${gap}${label}${gap}${paint ? paint(text, row) : text}\n`
  })
  return `${bold(clip(cells[0]!, width))}\n${lines.join('')}`
}

function clip(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}

function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = clip(text, width)
  return align === 'right' ? shown.padStart(width) : shown.padEnd(width)
}
