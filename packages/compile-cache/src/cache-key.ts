import { createHash } from 'node:crypto'

const REPLACEMENT_CHARACTER = '\uFFFD'

/**
 * hex(SHA-256) of a list of texts. Each is preceded by its byte length, so that no two lists share their
 * bytes, and lone surrogates count as themselves although UTF-8 cannot hold them.
 */
export function hashFields(fields: readonly string[]): string {
  const hash = createHash('sha256')
  for (const field of fields) {
    const utf8 = Buffer.from(field, 'utf8')
    const faithful = !utf8.includes(REPLACEMENT_CHARACTER)
    const bytes = faithful ? utf8 : Buffer.from(field, 'utf16le')
    hash.update(`${faithful ? 'utf8' : 'utf16'}:${bytes.byteLength}:`)
    hash.update(bytes)
  }
  return hash.digest('hex')
}

/** What a cached artifact depends on, apart from its source. */
export class CacheKeys {
  readonly #environment: readonly string[]

  /**
   * @param environment everything that must miss when it changes: engine, compiler and wrapper versions
   */
  constructor(environment: readonly string[]) {
    this.#environment = environment
  }

  /** The key of one artifact: `kind` and its parts, under this environment. */
  of(kind: string, ...parts: readonly string[]): string {
    return hashFields([...this.#environment, kind, ...parts])
  }
}
