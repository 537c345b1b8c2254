import { EventBusError } from '../../errors.js'
import type { CloudEvent } from '../../event/cloud-event.js'

/** Source and id as one text, for keys of stores: neither of them can have a line break. */
export function eventKey(source: string, id: string): string {
  return `${source}\n${id}`
}

/** The error for an id that events of several sources have, when the caller did not say which source is meant. */
export function ambiguousId(id: string, sources: readonly string[]): EventBusError {
  return new EventBusError(
    'AMBIGUOUS_ID',
    `id: expected an id that one event has, got ${id}, which events of ${sources.length} sources have: ${sources.slice(0, 10).join(', ')}; say which with source`,
    { details: { id, sources } },
  )
}

/** What stays of an event that is erased: all but its data. */
export function envelopeOf(event: CloudEvent): CloudEvent {
  const { data: _, data_base64: __, ...envelope } = event
  return envelope
}
