/** A value as the guest writes it: what JSON has not is a pair of its kind and its text. */
export function readValue(value: unknown): unknown {
  if (!Array.isArray(value)) return value
  const [kind, content] = value
  if (kind === 'n') return Number(content)
  if (kind === 'b') return BigInt(String(content))
  if (kind === 'l') return Array.isArray(content) ? content.map(String) : []
  return undefined
}

/** The object that a guest sent as text. */
export function readRecord(text: unknown): Record<string, unknown> {
  const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('Expected the options of Intl as an object')
  }
  return value as Record<string, unknown>
}

/** One or more names of locales. */
export function readLocales(value: unknown): string | string[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value.map(String) : String(value)
}
