import { ImportRefusal } from './import-refusal.js'

/**
 * Most values and names that one JSON text of an import root may have. Parsing more takes a noticeable time on the thread
 * that everything else waits for; a large package.json has some ten thousand.
 */
const MAX_JSON_TOKENS = 100_000

const decoder = new TextDecoder()

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Each value and each name but the last of its list is followed by one, and each list begins with one. */
const COUNTED = new Set([...',:[{'].map((character) => character.charCodeAt(0)))

/** Whether a text, parsed as JSON, has more than {@link MAX_JSON_TOKENS} values and names. Reads it once at most. */
export function hasTooManyTokens(json: string): boolean {
  let count = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at)
    else if (COUNTED.has(code) && ++count > MAX_JSON_TOKENS) return true
  }
  return false
}

/** The text of a file, without the mark of its byte order that some editors write. */
export function textOf(content: Uint8Array): string {
  return decoder.decode(content)
}

/** Why such a text of a `package.json` or `tsconfig.json` is not parsed. */
export function tooManyTokens(): ImportRefusal {
  return new ImportRefusal('resolve-steps', `expected at most ${MAX_JSON_TOKENS} values in it`)
}

/** The index of the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = json.indexOf('"', at)
    if (at < 0) return json.length
    let first = at
    while (json.charCodeAt(first - 1) === BACKSLASH) first--
    if ((at - first) % 2 === 0) return at
  }
}
