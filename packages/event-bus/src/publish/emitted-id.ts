import { createHash } from 'node:crypto'
import type { CloudEvent } from '../event/cloud-event.js'
import { parseRfc3339 } from '../event/rfc3339.js'

/** The digits that the milliseconds of a time have in hexadecimal, until the year 10889. */
const TIME_DIGITS = 12

/**
 * The id of the n-th event a handler emits: the same on every attempt, so that a retry emits nothing
 * twice; another one for each replay, which is asked for and is meant to have its effects again. Like the
 * ids that the bus gives, it starts with a time: that of the event which was handled.
 */
export function emittedId(
  { id, source, time }: Pick<CloudEvent, 'id' | 'source' | 'time'>,
  group: string,
  n: number,
  replay: number,
): string {
  const name = [source, id, group, n, replay].join('\0')
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  const ms = Math.max(0, parseRfc3339(time) ?? 0)
  return `${ms.toString(16).padStart(TIME_DIGITS, '0')}-${hash}`
}
