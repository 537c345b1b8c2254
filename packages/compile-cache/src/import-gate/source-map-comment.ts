import { hasTooManyTokens } from './json-size.js'

const NAME = 'sourceMappingURL='
const URL_CHARACTERS = /[^\s'"`]+/y

/** No file has this name: esbuild does not look for it, and a comment in the file does not count. */
const NO_SOURCE_MAP = '\n//# sourceMappingURL=none'

/** Longest source map that is read, as it is written, in UTF-16 code units. */
const MAX_LENGTH = 8 * 1024 * 1024

/**
 * The code with its source map inside, so that no other program reads a file because of a comment in it.
 *
 * @param code JavaScript or TypeScript
 * @param readFile the content of a path or `file:` URL as written in the comment; undefined when it may not be read
 */
export function inlineSourceMap(
  code: string,
  readFile: (specifier: string) => string | undefined,
): string {
  if (!code.includes('sourceMappingURL')) return code
  const url = lastUrl(code)
  const text = url === undefined ? undefined : isData(url) ? textOfDataUrl(url) : readFile(url)
  const map = text === undefined ? undefined : completeMap(text)
  if (map === undefined) return code + NO_SOURCE_MAP
  const inline = Buffer.from(JSON.stringify(map)).toString('base64')
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`
}

/** What the last comment that names a source map says; esbuild takes the last one too. */
function lastUrl(code: string): string | undefined {
  for (let at = code.lastIndexOf(NAME); at > 0; at = code.lastIndexOf(NAME, at - 1)) {
    let before = at - 1
    while (/\s/.test(code[before] ?? '')) before--
    if (code[before] !== '#' && code[before] !== '@') continue
    URL_CHARACTERS.lastIndex = at + NAME.length
    const url = URL_CHARACTERS.exec(code)?.[0]
    if (url !== undefined) return url
  }
  return undefined
}

function isData(url: string): boolean {
  return url.startsWith('data:')
}

function textOfDataUrl(url: string): string | undefined {
  const comma = url.indexOf(',')
  if (comma < 0) return undefined
  const body = url.slice(comma + 1)
  if (/;base64$/i.test(url.slice(0, comma))) return Buffer.from(body, 'base64').toString()
  try {
    return decodeURIComponent(body)
  } catch {
    return undefined
  }
}

/** A plain source map whose sources are all in it; what is not there would be looked for on disk. */
function completeMap(text: string): object | undefined {
  if (text.length > MAX_LENGTH || hasTooManyTokens(text)) return undefined
  let map: Record<string, unknown>
  try {
    map = JSON.parse(text)
  } catch {
    return undefined
  }
  const { version, sources, sourcesContent, mappings, names } = map ?? {}
  const whole =
    version === 3 &&
    typeof mappings === 'string' &&
    isStrings(sources) &&
    isStrings(sourcesContent) &&
    sources.length === sourcesContent.length &&
    (names === undefined || isStrings(names))
  return whole ? { version, sources, sourcesContent, mappings, names: names ?? [] } : undefined
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
