import type { EventBusError, EventBusErrorCode } from '@nexus/event-bus'
import { HttpError } from './http-error.js'

/** Mistakes of the sender: the message of the bus says what to correct. */
const mistakes: Partial<Record<EventBusErrorCode, number>> = {
  INVALID_EVENT: 400,
  INVALID_JSON: 400,
  INVALID_OPTIONS: 400,
  INVALID_PATTERN: 400,
  SCHEMA_MISMATCH: 400,
  TOO_DEEP: 400,
  SIGNATURE_INVALID: 401,
  NOT_FOUND: 404,
  AMBIGUOUS_ID: 409,
  EVENT_TOO_LARGE: 413,
}

/** What passes by itself. The messages of the bus may name the host of its server: these do not. */
const passing: Partial<Record<EventBusErrorCode, string>> = {
  BACKPRESSURE:
    'More events are waiting to be stored than this server takes; send this one again later.',
  CLOSED: 'This server is stopping; send the request again later.',
  STORE_EMPTIED: 'The event store came back empty; send the request again later.',
  STORE_UNAVAILABLE: 'The event store does not answer; send the request again later.',
}

/** The answer to a request that the bus refused, if it is not a fault of the server. */
export function busRefusal({ code, message }: EventBusError): HttpError | undefined {
  const status = mistakes[code]
  if (status !== undefined) return new HttpError(status, code, message)
  const text = passing[code]
  return text === undefined ? undefined : new HttpError(503, code, text)
}
