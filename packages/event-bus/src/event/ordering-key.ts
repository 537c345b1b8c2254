import type { CloudEvent } from './cloud-event.js'

/** Reads the ordering key of an event: by a path such as `data.orderId`, or by the user's function. */
export function orderingKeyReader(
  key: string | ((event: CloudEvent) => string | undefined),
): (event: CloudEvent) => string | undefined {
  if (typeof key === 'function') return key
  const path = key.split('.')
  return (event) => {
    let value: unknown = event
    for (const name of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
        return undefined
      }
      value = (value as Record<string, unknown>)[name]
    }
    return value === undefined || value === null || typeof value === 'object'
      ? undefined
      : String(value)
  }
}
