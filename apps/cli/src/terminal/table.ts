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
const gap = '  '

/** Rows under titles, at most 80 characters wide: the first column gives way. */
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
  widths[0] = Math.min(widths[0]!, Math.max(8, maxWidth - others))
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

function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = text.length > width ? `${text.slice(0, width - 1)}…` : text
  return align === 'right' ? shown.padStart(width) : shown.padEnd(width)
}
