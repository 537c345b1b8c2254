/** Longest reason that is told, in UTF-16 code units. */
const MAX_LENGTH = 1024

/**
 * Why something failed, as what was thrown tells it. A cache, a file system or esbuild may throw anything: this never
 * throws, and runs none of the value's code but its getters.
 */
export function reasonOf(thrown: unknown): string {
  const text = isObject(thrown) ? textOf(thrown, 'message') : String(thrown)
  return (text ?? 'something without a message was thrown').slice(0, MAX_LENGTH)
}

/** The code of what was thrown, such as `ENOENT`, if it has one. */
export function codeOf(thrown: unknown): string | undefined {
  return isObject(thrown) ? textOf(thrown, 'code')?.slice(0, MAX_LENGTH) : undefined
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function textOf(object: object, key: string): string | undefined {
  try {
    const value: unknown = (object as Record<string, unknown>)[key]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
