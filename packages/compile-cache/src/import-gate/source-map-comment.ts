/** The last comment of a file that names its source map; esbuild takes the last one too. */
const COMMENT = /[#@]\s*sourceMappingURL=([^\s'"`]+)/g

/** No file has this name: esbuild does not look for it, and a comment in the file does not count. */
const NO_SOURCE_MAP = '\n//# sourceMappingURL=none'

const MAX_INLINE_LENGTH = 16 * 1024 * 1024

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
  const url = [...code.matchAll(COMMENT)].at(-1)?.[1]
  const text = url === undefined ? undefined : isData(url) ? textOfDataUrl(url) : readFile(url)
  const map = text === undefined ? undefined : completeMap(text)
  if (map === undefined) return code + NO_SOURCE_MAP
  const inline = Buffer.from(JSON.stringify(map)).toString('base64')
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`
}

function isData(url: string): boolean {
  return url.startsWith('data:')
}

function textOfDataUrl(url: string): string | undefined {
  if (url.length > MAX_INLINE_LENGTH) return undefined
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
