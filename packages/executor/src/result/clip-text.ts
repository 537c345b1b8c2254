/** Stands where the rest of a text was cut away. */
export const CUT_MARK = '…'

/** The text, or its beginning with a mark at its end, in at most `maxLength` UTF-16 units. */
export function clipText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return withoutHalfPair(text.slice(0, maxLength - 1)) + CUT_MARK
}

/**
 * A line of source in at most `maxLength` UTF-16 units.
 *
 * @param column what must stay in view, from 1
 */
export function clipLine(line: string, maxLength: number, column = 1): string {
  if (line.length <= maxLength || column <= maxLength * 0.75) return clipText(line, maxLength)
  const from = Math.min(column - 1, line.length) - Math.floor(maxLength / 2)
  const rest = line.slice(from + 1)
  return CUT_MARK + clipText(isLowSurrogate(rest) ? rest.slice(1) : rest, maxLength - 1)
}

function withoutHalfPair(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text
}

function isLowSurrogate(text: string): boolean {
  const first = text.charCodeAt(0)
  return first >= 0xdc00 && first <= 0xdfff
}
