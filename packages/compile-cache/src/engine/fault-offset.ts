/**
 * The UTF-16 offset of an engine position.
 *
 * @param line from 1, as the engine counts: U+2028 and U+2029 end a line too
 * @param byteColumn from 1, in UTF-8 bytes
 */
export function offsetOfPosition(source: string, line: number, byteColumn: number): number {
  let lineStart = 0
  const lineEnds = /[\n\u2028\u2029]/g
  for (let n = 1; n < line && lineEnds.exec(source); n++) lineStart = lineEnds.lastIndex
  const rest = source.slice(lineStart, lineStart + byteColumn)
  const before = Buffer.from(rest).subarray(0, byteColumn - 1)
  return lineStart + before.toString().length
}

/** The offset of the specifier in the statement that imports it. */
export function offsetOfImport(specifier: string, source: string): number | undefined {
  const statement = new RegExp(
    `(?:\\bfrom|\\bimport)\\s*(?=(['"])${escapeForRegExp(specifier)}\\1)`,
  )
  const match = statement.exec(source)
  return match ? match.index + match[0].length : undefined
}

/**
 * The offset of the name that a message without a position complains about: an exported variable that
 * is not declared, a private field that the class does not have.
 */
export function offsetOfName(message: string, source: string): number | undefined {
  const exported = /^exported variable '(.+)' does not exist$/.exec(message)?.[1]
  if (exported !== undefined) {
    const clause = new RegExp(
      `\\bexport\\s*\\{[^}]*?(?=(?<![\\w$])${escapeForRegExp(exported)}(?![\\w$]))`,
    )
    const match = clause.exec(source)
    return match ? match.index + match[0].length : undefined
  }
  const field = /^undefined private field '(#.+)'$/.exec(message)?.[1]
  const index =
    field === undefined ? -1 : source.search(new RegExp(`${escapeForRegExp(field)}(?![\\w$])`))
  return index < 0 ? undefined : index
}

/**
 * The end of the first piece of source that fails, for faults without a position (regular expressions).
 * The engine reads from left to right, so every longer prefix fails in the same way and a bisection finds it.
 *
 * @returns the offset of the last character of the shortest failing prefix; undefined when out of time
 */
export function smallestFailingPrefix(
  source: string,
  budgetMs: number,
  fails: (prefix: string) => boolean,
): number | undefined {
  const deadline = performance.now() + budgetMs
  let passing = 0
  let failing = source.length
  while (failing - passing > 1) {
    if (performance.now() > deadline) return undefined
    const middle = (passing + failing) >> 1
    if (fails(source.slice(0, middle))) failing = middle
    else passing = middle
  }
  return failing - 1
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
