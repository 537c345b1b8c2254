import { EventBusError } from '../errors.js'
import type { CloudEvent, EventInput } from '../event/cloud-event.js'
import { bodyData, parseJsonBody } from './body-data.js'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.js'
import { type HttpMessage, header } from './http-message.js'
import { isJson, mediaType, withUtf8 } from './media-type.js'

/** How CloudEvents 1.0 travel in an HTTP message. */
export type HttpMode = 'structured' | 'batched' | 'binary'

const STRUCTURED = 'application/cloudevents+json'
const BATCHED = 'application/cloudevents-batch+json'
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
/** In binary mode these are not attributes: the data is the body, and its type is `content-type`. */
const OF_THE_BODY = new Set(['data', 'data_base64', 'datacontenttype'])

/** How the message carries events; undefined when it carries none, or in a format that is not JSON. */
export function cloudEventsMode(headers: HttpMessage['headers']): HttpMode | undefined {
  const type = mediaType(header(headers, 'content-type'))
  if (type === STRUCTURED) return 'structured'
  if (type === BATCHED) return 'batched'
  if (type?.startsWith('application/cloudevents')) return undefined
  return header(headers, 'ce-specversion') === undefined ? undefined : 'binary'
}

/**
 * Reads the events of an HTTP message in whichever mode it is. Text is decoded from its charset, bytes become
 * `data_base64`.
 *
 * @throws EventBusError `INVALID_EVENT` for a message without events or a missing required attribute, `INVALID_JSON`,
 * `TOO_DEEP`
 *
 * @example
 * ```ts
 * const events = parseCloudEvents({ headers: request.headers, body })
 * await bus.publishBatch(events)
 * ```
 */
export function parseCloudEvents(message: HttpMessage): EventInput[] {
  const mode = cloudEventsMode(message.headers)
  const contentType = header(message.headers, 'content-type')
  if (mode === 'structured') {
    return [checked(parseJsonBody(message.body, contentType), 'the body')]
  }
  if (mode === 'binary') return [checked(readBinary(message), 'the headers')]
  if (mode === undefined) {
    throw invalid(
      `content-type: expected ${STRUCTURED}, ${BATCHED} or ce-* headers, got ${contentType ?? 'none'}`,
    )
  }
  const events = parseJsonBody(message.body, contentType)
  if (!Array.isArray(events)) throw invalid('body: expected an array of events')
  return events.map((event, i) => checked(event, `event ${i} of the batch`))
}

/** One event as the body, its attributes included. */
export function formatStructured(event: CloudEvent): HttpMessage {
  return {
    headers: { 'content-type': `${STRUCTURED}; charset=utf-8` },
    body: JSON.stringify(event),
  }
}

/** Several events as one body. */
export function formatBatched(events: readonly CloudEvent[]): HttpMessage {
  return { headers: { 'content-type': `${BATCHED}; charset=utf-8` }, body: JSON.stringify(events) }
}

/**
 * The data as the body, the attributes as `ce-*` headers.
 *
 * @example
 * ```ts
 * const { headers, body } = formatBinary(event)
 * await fetch(url, { method: 'POST', headers, body })
 * ```
 */
export function formatBinary(event: CloudEvent): HttpMessage {
  const { data, data_base64, datacontenttype, ...attributes } = event
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) headers[`ce-${name}`] = encodeHeaderValue(String(value))
  }
  if (data_base64 !== undefined) {
    if (datacontenttype !== undefined) headers['content-type'] = datacontenttype
    return { headers, body: Buffer.from(data_base64, 'base64') }
  }
  if (data === undefined) return { headers, body: '' }
  const isText =
    typeof data === 'string' && datacontenttype !== undefined && !isJson(datacontenttype)
  // A body is sent as UTF-8, whatever its text came in.
  headers['content-type'] = withUtf8(datacontenttype ?? 'application/json')
  return { headers, body: isText ? data : JSON.stringify(data) }
}

function readBinary({ headers, body }: HttpMessage): Record<string, unknown> {
  // Without a prototype: an extension may be called `constructor`.
  const event: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(headers)) {
    if (!name.startsWith('ce-')) continue
    const attribute = name.slice(3)
    if (OF_THE_BODY.has(attribute)) {
      throw invalid(
        `${name}: expected no such header; the data is the body, its type is content-type`,
        attribute,
      )
    }
    event[attribute] = decodeHeaderValue(name, header(headers, name)!)
  }
  // The CloudEvents extension wins: it belongs to the event, the plain header only to this request.
  for (const name of ['traceparent', 'tracestate']) {
    const value = headers[name]
    // W3C Trace Context: a list may be split over several headers, and two parents are none.
    const text = Array.isArray(value) && name === 'tracestate' ? value.join(',') : value
    const [only, second] = typeof text === 'string' ? [text] : (text ?? [])
    if (event[name] === undefined && only !== undefined && second === undefined) event[name] = only
  }
  const type = header(headers, 'content-type')
  if (type !== undefined) event.datacontenttype = type
  if (body.length > 0) Object.assign(event, bodyData(body, type))
  return event
}

function checked(event: unknown, where: string): EventInput {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw invalid(`${where}: expected an event as a JSON object`)
  }
  const attributes = event as Record<string, unknown>
  for (const name of REQUIRED) {
    if (typeof attributes[name] === 'string' && attributes[name] !== '') continue
    throw invalid(
      `${name}: expected a non-empty string in ${where}, as CloudEvents 1.0 requires`,
      name,
    )
  }
  return event as EventInput
}

function invalid(message: string, attribute?: string): EventBusError {
  return new EventBusError('INVALID_EVENT', message, {
    details: attribute === undefined ? {} : { attribute },
  })
}
