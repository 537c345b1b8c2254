import { createHash } from 'node:crypto'

/**
 * The id of the n-th event a handler emits: the same on every attempt, so that a retry emits nothing
 * twice; another one for each replay, which is asked for and is meant to have its effects again.
 */
export function emittedId(eventId: string, group: string, n: number, replay: number): string {
  const name = [eventId, group, n, replay].join('\0')
  return createHash('sha256').update(name).digest('hex').slice(0, 32)
}
