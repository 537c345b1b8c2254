import { SourceMap } from 'node:module'
import type { SourceLocation } from '../errors.js'
import { locate, locateOffset } from './code-frame.js'

/** Code that was made of what an author wrote. */
export interface MadeCode {
  code: string
  filename: string
  /** JSON of the source map from `code` to what the author wrote. */
  sourceMap?: string | undefined
}

/** The place in what the author wrote, going back through the source map. */
export function authoredPlace(
  { code, filename, sourceMap }: MadeCode,
  offset: number,
): SourceLocation {
  const location = locateOffset(code, filename, offset)
  if (sourceMap === undefined) return location
  const payload = JSON.parse(sourceMap)
  const entry = new SourceMap(payload).findEntry(location.line - 1, location.column - 1)
  if (!('originalSource' in entry)) return location
  const { originalSource, originalLine, originalColumn } = entry
  const content: unknown = payload.sourcesContent?.[payload.sources.indexOf(originalSource)]
  return locate(
    typeof content === 'string' ? content : '',
    originalSource,
    originalLine + 1,
    originalColumn + 1,
  )
}
