import type { CloudEvent, JsonValue } from '../../event/cloud-event.js'
import type { DeliveryError } from '../../store/stored-event.js'

/** A delivery that becomes a dead letter. */
export interface FailedDelivery {
  /** The event that was given up. */
  event: CloudEvent
  /** `event` as the JSON text that it is stored as. */
  eventJson: string
  /** The consumer group that gives it up. */
  group: string
  /** Number of the last attempt. */
  attempt: number
  /** 0 for the original delivery, n for the n-th replay. */
  replay: number
  /** Why the last attempt failed. */
  error: DeliveryError
  /** What the handler kept with the last attempt. */
  record?: JsonValue
}
