import type { CloudEvent, StoredEvent } from '@nexus/event-bus'
import type { EventMessage } from '../streams/events.js'

/** What a reader of the bus gets of an event. */
export function toStoredEvent({ sequence, json, time, erased }: EventMessage): StoredEvent {
  return {
    event: JSON.parse(json) as CloudEvent,
    sequence,
    publishedAt: time.toISOString(),
    ...(erased !== undefined && { erased }),
  }
}
