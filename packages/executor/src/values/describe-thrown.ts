/** What is told of a thrown value, whatever it is: plain text of bounded length. */
export interface ThrownDescription {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
  readonly cause?: ThrownDescription | undefined
}

const MAX_TEXT = 16_384
const MAX_CAUSES = 3
const LARGEST_BIGINT = 2n ** 1024n

/**
 * Describes a thrown value. Never throws, and runs none of the value's code but its getters and proxy traps: `toString`
 * of an array that a guest sent may never end.
 */
export function describeThrown(thrown: unknown, depth = 0): ThrownDescription {
  if (!isObject(thrown)) return { name: 'Error', message: textOfPrimitive(thrown) }
  const cause = depth < MAX_CAUSES ? read(thrown, 'cause') : undefined
  return {
    name: textOf(read(thrown, 'name')) ?? 'Error',
    message: textOf(read(thrown, 'message')) ?? `${kindOf(thrown)} without a message was thrown`,
    code: textOf(read(thrown, 'code')),
    cause: cause === undefined ? undefined : describeThrown(cause, depth + 1),
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
