import type { SourceLocation } from '../errors.js'

const MAX_FRAME_WIDTH = 120
const LINE_FEED = 0x0a

/**
 * The line of `text` that holds `line` and `column`, as a location.
 *
 * @param text the whole source
 * @param line from 1; lines end at `\n`
 * @param column from 1, UTF-16 code units
 */
export function locate(text: string, file: string, line: number, column: number): SourceLocation {
  let start = 0
  for (let at = 1; at < line; at++) {
    const end = text.indexOf('\n', start)
    if (end < 0) return { file, line, column, lineText: '' }
    start = end + 1
  }
  const end = text.indexOf('\n', start)
  const lineText = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '')
  return { file, line, column, lineText }
}

/** The location of a character offset of `text`. */
export function locateOffset(text: string, file: string, offset: number): SourceLocation {
  let line = 1
  let lineStart = 0
  for (let at = 0; at < offset; at++) {
    if (text.charCodeAt(at) !== LINE_FEED) continue
    line++
    lineStart = at + 1
  }
  return locate(text, file, line, offset - lineStart + 1)
}

/** `file:line:column: message`, then the line with a caret under the column. */
export function describeAt(location: SourceLocation, message: string): string {
  const { file, line, column, lineText } = location
  const head = `${file}:${line}:${column}: ${message}`
  if (lineText === '') return head
  // A minified line is shown as the part around the column.
  const from = Math.max(
    0,
    Math.min(column - 1 - MAX_FRAME_WIDTH / 2, lineText.length - MAX_FRAME_WIDTH),
  )
  const shown = lineText.slice(from, from + MAX_FRAME_WIDTH).replaceAll('\t', ' ')
  const gutter = String(line)
  return [
    head,
    '',
    `  ${gutter} | ${shown}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(column - 1 - from)}^`,
  ].join('\n')
}
