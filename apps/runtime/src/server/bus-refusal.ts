import type { EventBusError, EventBusErrorCode } from '@nexus/event-bus'
import { HttpError } from './http-error.js'

/** What is the sender's to mend, and what passes; every other failure of the bus is the server's own. */
const statuses: Partial<Record<EventBusErrorCode, number>> = {
  INVALID_EVENT: 400,
  INVALID_OPTIONS: 400,
  INVALID_PATTERN: 400,
  EVENT_TOO_LARGE: 413,
  NOT_FOUND: 404,
  BACKPRESSURE: 503,
  CLOSED: 503,
  STORE_UNAVAILABLE: 503,
}

/** The answer to a request that the bus refused, if it is not a fault of the server. */
export function busRefusal({ code, message }: EventBusError): HttpError | undefined {
  const status = statuses[code]
  return status === undefined ? undefined : new HttpError(status, code, message)
}
