import type { CloudEvent, JsonValue } from '../event/cloud-event.js'

/** How much a publish survives: nothing, the process, or a power cut. */
export type Durability = 'memory' | 'os' | 'disk'

/** Every {@link DeliveryStatus}. */
export const DELIVERY_STATUSES = [
  'pending',
  'running',
  'retrying',
  'suspended',
  'succeeded',
  'dead-lettered',
] as const

/** How an event fares in one consumer group; `suspended`: it was handled so far, and its work goes on with a later event. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

/** Whether a group has done with an event, unless it is asked for once more. */
export function hasEnded({ status }: { status: DeliveryStatus }): boolean {
  return status === 'succeeded' || status === 'suspended' || status === 'dead-lettered'
}

/** Why an attempt failed. */
export interface DeliveryError {
  /** What was thrown, as text. */
  message: string
  /** The `code` of what was thrown, if it had one. */
  code?: string
  /** Where it was thrown; cut to 8,192 characters. */
  stack?: string
}

/** One group's dealings with one event. */
export interface Delivery {
  /** The consumer group. */
  group: string
  /** Where the event stands. */
  status: DeliveryStatus
  /** Attempts since the event was published, replayed or redriven. */
  attempts: number
  /** How often the event was replayed to this group. */
  replays: number
  /** RFC 3339 time of the last change. */
  updatedAt: string
  /** How long the last attempt took. */
  durationMs?: number
  /** What the handler kept with the attempt. */
  record?: JsonValue
  /** Why the last attempt failed. */
  error?: DeliveryError
  /** RFC 3339 time at which the next attempt is due. */
  nextAttemptAt?: string
}

/** An event as it lies in the store. */
export interface StoredEvent {
  /** The event as it was published, or its envelope once it is erased. */
  event: CloudEvent
  /** Position in the store: rises with every event. */
  sequence: number
  /** RFC 3339 time at which it was stored. */
  publishedAt: string
  /** Present when its data, results and logs were erased: only the envelope is left. */
  erased?: Erasure
}

/** When and why an event's data was erased. */
export interface Erasure {
  /** RFC 3339 time. */
  at: string
  /** What the caller of `erase` said. */
  reason?: string
}

/** A stored event with what every group did with it. */
export interface EventDetails extends StoredEvent {
  /** One for each group that gets the event, by the name of the group. */
  deliveries: Delivery[]
}

/** An event a group gave up on. */
export interface DeadLetter extends StoredEvent {
  /** The group that gave up. */
  group: string
  /** Handler starts. */
  attempts: number
  /** RFC 3339 time at which the group gave up. */
  deadLetteredAt: string
  /** Why the last attempt failed. */
  error: DeliveryError
  /** What the handler stored with its last attempt. */
  record?: JsonValue
}
