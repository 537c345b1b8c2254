import type { SourceLocation } from '../errors.js'

/** Makes the argument of an import something that esbuild does not look for on disk, and means the same. */
const MARK = 'globalThis[""]||'

/** Where lines end for esbuild, beside `\r\n`. */
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const LINE_SEPARATOR = 0x2028
const PARAGRAPH_SEPARATOR = 0x2029

/**
 * Whether esbuild wanted to find the files that an import of a computed name, such as `./parts/${name}.js`, may mean.
 *
 * @param text of its error
 */
export function isComputedImport(text: string): boolean {
  return /^Could not resolve (?:import|require)\("/.test(text)
}

/**
 * The code with marks before the arguments of imports of computed names: they are left to fail when they run, so that
 * nothing is looked for by a pattern.
 *
 * @param places of the arguments in `code`
 */
export function markComputedImports(code: string, places: readonly SourceLocation[]): string {
  if (places.length === 0) return code
  const offsets = offsetsOf(code, places)
  let marked = ''
  let from = 0
  for (const at of [...new Set(offsets)].sort((a, b) => a - b)) {
    marked += code.slice(from, at) + MARK
    from = at
  }
  return marked + code.slice(from)
}

/** Goes through the lines once and remembers none: a file may have millions of them. */
function offsetsOf(code: string, places: readonly SourceLocation[]): number[] {
  const sorted = [...places].sort((a, b) => a.line - b.line)
  let line = 1
  let lineStart = 0
  return sorted.map((place) => {
    for (let at = lineStart; line < place.line && at < code.length; at++) {
      const end = code.charCodeAt(at)
      const isEnd =
        end === LINE_FEED ||
        (end === CARRIAGE_RETURN && code.charCodeAt(at + 1) !== LINE_FEED) ||
        end === LINE_SEPARATOR ||
        end === PARAGRAPH_SEPARATOR
      if (!isEnd) continue
      line++
      lineStart = at + 1
    }
    return lineStart + place.column - 1
  })
}
