import type { SourceLocation } from '../errors.js'

/** Makes the argument of an import something that esbuild does not look for on disk, and means the same. */
const MARK = 'globalThis[""]||'

/** Where lines end for esbuild. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/g

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
  const lineStarts = [0, ...[...code.matchAll(LINE_END)].map((end) => end.index + end[0].length)]
  const offsets = places.map(({ line, column }) => (lineStarts[line - 1] ?? 0) + column - 1)
  let marked = ''
  let from = 0
  for (const at of [...new Set(offsets)].sort((a, b) => a - b)) {
    marked += code.slice(from, at) + MARK
    from = at
  }
  return marked + code.slice(from)
}
