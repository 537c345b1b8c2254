import { ambiguousId } from '../../store/backend/event-identity.js'
import type { LogEngine } from '../log-engine.js'
import { LAST_STRING } from './value-index.js'

/** Sources named in an error. */
const MAX_SOURCES = 10

/**
 * The sequence of the event with this id.
 *
 * @throws EventBusError `AMBIGUOUS_ID` when no source is said and events of several have the id
 */
export function sequenceOf(
  engine: LogEngine,
  { id, source }: { id: string; source?: string | undefined },
): number | undefined {
  if (source !== undefined) return engine.get('ids', [id, source])
  const found = [
    ...engine.range('ids', { start: [id, ''], end: [id, LAST_STRING], limit: MAX_SOURCES }),
  ]
  if (found.length > 1)
    throw ambiguousId(
      id,
      found.map(({ key }) => key[1]),
    )
  return found[0]?.value
}
