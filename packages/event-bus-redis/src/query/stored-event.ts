import type { CloudEvent, Erasure, StoredEvent } from '@nexus/event-bus'

/** The event in a value of the hash `bodies`. */
export function eventOf(json: string): CloudEvent {
  return JSON.parse(json) as CloudEvent
}

/** An event without its data. */
export function envelopeOf(event: CloudEvent): CloudEvent {
  const { data: _, data_base64: __, ...envelope } = event
  return envelope
}

/** When and why an event was erased, by a value of the hash `erased`; without one it was not. */
export function erasureOf(json: string | null | undefined): { erased?: Erasure } {
  if (!json) return {}
  const { atMs, ...rest } = JSON.parse(json) as { atMs: number; reason?: string }
  return { erased: { at: new Date(atMs).toISOString(), ...rest } }
}

/** An event as the bus shows it, without the fields of its reader. */
export function toStoredEvent({ event, sequence, publishedAt, erased }: StoredEvent): StoredEvent {
  return { event, sequence, publishedAt, ...(erased !== undefined && { erased }) }
}
