/** What a thrown value says of itself. */
export interface ThrownDescription {
  message: string
  name: string | undefined
  stack: string | undefined
}

/** Describes anything that can be thrown. It never throws: a property may be a getter that does, and a value may have no text. */
export function describeThrown(thrown: unknown): ThrownDescription {
  const [message, name, stack] = ['message', 'name', 'stack'].map((key) => read(thrown, key))
  return { message: message ?? textOf(thrown), name, stack }
}

function read(thrown: unknown, key: string): string | undefined {
  try {
    const value = (thrown as Record<string, unknown> | null | undefined)?.[key]
    return typeof value === 'string' ? value : undefined
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
