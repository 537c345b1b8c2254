/** What a thrown value says, whatever it is: plain text of bounded length. */
export interface ThrownDescription {
  /** Such as `TypeError`; `Error` when the value has no name. */
  readonly name: string
  /** Its message, or what kind of value it is. */
  readonly message: string
  /** A code such as `ENOENT`. */
  readonly code?: string | undefined
  /** Where it was thrown. */
  readonly stack?: string | undefined
  /** HTTP status that errors of servers carry. */
  readonly statusCode?: number | undefined
  /** What caused it, at most three levels deep. */
  readonly cause?: ThrownDescription | undefined
}

/** Longest text, in UTF-16 code units. */
const MAX_TEXT = 16_384
const MAX_CAUSES = 3
const LARGEST_BIGINT = 2n ** 1024n

/**
 * Describes anything that can be thrown. Never throws, and runs none of the value's code but its getters and proxy traps:
 * a `toString` may never end.
 *
 * @example
 * ```ts
 * describeThrown(new TypeError('no')).message // 'no'
 * describeThrown(Object.create(null)).message // 'an object without a message was thrown'
 * ```
 */
export function describeThrown(thrown: unknown): ThrownDescription {
  return describe(thrown, 0)
}

function describe(thrown: unknown, depth: number): ThrownDescription {
  if (!isObject(thrown)) return { name: 'Error', message: textOfPrimitive(thrown) }
  const cause = depth < MAX_CAUSES ? read(thrown, 'cause') : undefined
  const statusCode = read(thrown, 'statusCode')
  return {
    name: textOf(read(thrown, 'name')) ?? 'Error',
    message: textOf(read(thrown, 'message')) ?? `${kindOf(thrown)} without a message was thrown`,
    code: textOf(read(thrown, 'code')),
    stack: textOf(read(thrown, 'stack')),
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
    cause: cause === undefined ? undefined : describe(cause, depth + 1),
  }
}

function textOfPrimitive(thrown: unknown): string {
  // The digits of one that fills memory take minutes.
  const isHuge = typeof thrown === 'bigint' && (thrown > LARGEST_BIGINT || thrown < -LARGEST_BIGINT)
  return isHuge ? 'a very large BigInt was thrown' : clip(String(thrown))
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? clip(value) : undefined
}

function clip(text: string): string {
  return text.slice(0, MAX_TEXT)
}

function kindOf(value: object): string {
  if (typeof value === 'function') return 'a function'
  try {
    return Array.isArray(value) ? 'an array' : 'an object'
  } catch {
    return 'a revoked proxy'
  }
}
