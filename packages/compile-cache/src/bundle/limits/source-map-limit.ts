/** Longest source map that is kept, in bytes of UTF-8; in UTF-16 code units where it is text already. */
export const MAX_SOURCE_MAP_LENGTH = 8 * 1024 * 1024

/** Most places that one may have. A failed call is told with the places of its source: that goes through all of them. */
export const MAX_PLACES = 250_000

const COMMA = 0x2c
const SEMICOLON = 0x3b

/** Whether a map has more places and lines than {@link MAX_PLACES}. */
export function hasTooManyPlaces({ mappings }: { mappings: string }): boolean {
  let count = 0
  for (let at = 0; at < mappings.length; at++) {
    const code = mappings.charCodeAt(at)
    if ((code === COMMA || code === SEMICOLON) && ++count > MAX_PLACES) return true
  }
  return false
}
