import type { CloudEvent } from '../event/cloud-event.js'
import type { Delivery, StoredEvent } from '../store/event-store.js'
import type { DeliveryEntry, LogRecord } from './log-engine.js'

/** The event as callers see it; a fresh copy each time, so nobody can change what others get. */
export function toStoredEvent(record: LogRecord): StoredEvent {
  return {
    event: JSON.parse(record.json) as CloudEvent,
    sequence: record.sequence,
    publishedAt: new Date(record.publishedAtMs).toISOString(),
    ...(record.erased !== undefined && { erased: record.erased }),
  }
}

/** A kept delivery as callers see it. */
export function toDelivery(group: string, entry: DeliveryEntry, running: boolean): Delivery {
  const delivery: Delivery = {
    group,
    status: running ? 'running' : entry.status,
    attempts: entry.attempts,
    replays: entry.replays,
    updatedAt: new Date(entry.updatedAtMs).toISOString(),
  }
  if (entry.durationMs !== undefined) delivery.durationMs = entry.durationMs
  if (entry.record !== undefined) delivery.record = entry.record
  if (entry.error !== undefined) delivery.error = entry.error
  if (entry.nextAttemptAtMs !== undefined) {
    delivery.nextAttemptAt = new Date(entry.nextAttemptAtMs).toISOString()
  }
  return delivery
}
