/** The message of anything that can be thrown. Guards every access: a property may throw, and a value may have no text. */
export function describeThrown(thrown: unknown): string {
  try {
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
      if (typeof thrown.message === 'string') return thrown.message
    }
    return String(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}
