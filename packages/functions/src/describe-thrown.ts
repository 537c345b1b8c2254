/** What a thrown value says of itself; what is not of the expected kind is left out. */
export interface ThrownDescription {
  /** Its message, or the value as text. */
  message: string
  /** Such as `TypeError`. */
  name: string | undefined
  /** A code such as `ENOENT`. */
  code: string | undefined
  /** Where it was thrown. */
  stack: string | undefined
  /** HTTP status that errors of servers carry. */
  statusCode: number | undefined
}

/**
 * Describes anything that can be thrown. It never throws itself: a property may be a getter that does, and a value may have
 * no text.
 *
 * @example
 * ```ts
 * describeThrown(Object.create(null)).message // 'a value that cannot be shown'
 * ```
 */
export function describeThrown(thrown: unknown): ThrownDescription {
  const text = (key: string) => {
    const value = read(thrown, key)
    return typeof value === 'string' ? value : undefined
  }
  const statusCode = read(thrown, 'statusCode')
  return {
    message: text('message') ?? textOf(thrown),
    name: text('name'),
    code: text('code'),
    stack: text('stack'),
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
  }
}

function read(thrown: unknown, key: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}
