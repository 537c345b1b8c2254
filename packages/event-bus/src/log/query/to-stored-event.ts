import type { CloudEvent } from '../../event/cloud-event.js'
import type { StoredEvent } from '../../store/stored-event.js'
import type { LogRecord } from '../log-engine.js'

/** The event as callers see it; a fresh copy each time, so that no caller can change what others get. */
export function toStoredEvent(record: LogRecord): StoredEvent {
  return {
    event: JSON.parse(record.json) as CloudEvent,
    sequence: record.sequence,
    publishedAt: new Date(record.publishedAtMs).toISOString(),
    ...(record.erased !== undefined && { erased: record.erased }),
  }
}
