/** The message of anything that can be thrown. It never throws: a property may be a getter that does, and a value may have no text. */
export function describeThrown(thrown: unknown): string {
  try {
    const message = (thrown as { message?: unknown } | null | undefined)?.message
    return typeof message === 'string' ? message : String(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}
