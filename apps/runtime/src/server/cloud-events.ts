import type { IncomingHttpHeaders } from 'node:http'
import { cloudEventsMode, type EventInput, parseCloudEvents } from '@nexus/event-bus'
import { assertDepth } from './json-body.js'

/** The events of a request, and whether they came as a batch. */
export interface ReceivedEvents {
  events: EventInput[]
  batched: boolean
}

/**
 * Reads CloudEvents in whichever mode the request is.
 *
 * @throws EventBusError `INVALID_EVENT`
 * @throws HttpError 400 for data that is nested too deeply
 */
export function readCloudEvents(headers: IncomingHttpHeaders, body: Buffer): ReceivedEvents {
  const events = parseCloudEvents({ headers, body })
  for (const { data } of events) assertDepth(data)
  return { events, batched: cloudEventsMode(headers) === 'batched' }
}
