/** A line that is longer is cut here. */
export const MAX_LINE_BYTES = 65_536
const NEWLINE = 0x0a

/** Stands at the end of each part of a line that was cut. */
export const CUT_MARK = ` [cut after ${MAX_LINE_BYTES} bytes: the line goes on below]`

/** The lines of some output, and how many of its bytes they are; what is left is a line without an end so far. */
export function splitLines(
  bytes: Buffer,
  /** Whether nothing follows: a line without an end is one, too. */
  isLast: boolean,
): { lines: string[]; taken: number } {
  const lines: string[] = []
  let taken = 0
  while (taken < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, taken)
    const end = newline === -1 ? bytes.length : newline
    if (end - taken > MAX_LINE_BYTES) {
      const cut = characterStart(bytes, taken + MAX_LINE_BYTES)
      lines.push(bytes.toString('utf8', taken, cut) + CUT_MARK)
      taken = cut
    } else if (newline !== -1 || isLast) {
      lines.push(bytes.toString('utf8', taken, end))
      taken = end + (newline === -1 ? 0 : 1)
    } else break
  }
  return { lines, taken }
}

/** So that no character is cut: in UTF-8, all bytes of one but the first begin with the bits 10. */
function characterStart(bytes: Buffer, at: number): number {
  for (let start = at; start > at - 4; start--) {
    if ((bytes[start]! & 0b1100_0000) !== 0b1000_0000) return start
  }
  return at
}
