import { TraceMap } from '@jridgewell/trace-mapping'
import { LRUCache } from 'lru-cache'

/** Texts of the maps that are kept, together, in UTF-16 code units. */
const MAX_KEPT_LENGTH = 8 * 1024 * 1024

/** Reading a map costs more than a small call: a handler that fails again and again must not pay it each time. */
const known = new LRUCache<string, TraceMap>({
  maxSize: MAX_KEPT_LENGTH,
  sizeCalculation: (_map, text) => text.length,
})

/** The source map of a handler, which the compiler has bounded; what is no source map is as good as none. */
export function sourceMapOf(text: string | undefined): TraceMap | undefined {
  if (text === undefined) return undefined
  let map = known.get(text)
  if (!map) {
    map = parse(text)
    if (map) known.set(text, map)
  }
  return map
}

function parse(text: string): TraceMap | undefined {
  try {
    return new TraceMap(text)
  } catch {
    return undefined
  }
}
