/** What an event must say to end a wait: paths into it such as `data.orderId`, and the value at each. */
export type EventMatch = Readonly<Record<string, string | number | boolean | null>>

const MAX_PATHS = 16
const MAX_PATH_LENGTH = 256
const MAX_TEXT_LENGTH = 1024

/** Whether a JSON text is an {@link EventMatch} that can be looked for. */
export function isEventMatch(json: string): boolean {
  let match: unknown
  try {
    match = JSON.parse(json)
  } catch {
    return false
  }
  if (typeof match !== 'object' || match === null || Array.isArray(match)) return false
  const entries = Object.entries(match)
  return entries.length <= MAX_PATHS && entries.every(([path, value]) => isCondition(path, value))
}

function isCondition(path: string, value: unknown): boolean {
  if (path === '' || path.length > MAX_PATH_LENGTH) return false
  if (typeof value === 'string') return value.length <= MAX_TEXT_LENGTH
  return value === null || typeof value === 'boolean' || typeof value === 'number'
}
