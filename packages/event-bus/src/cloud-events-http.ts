import { EventBusError } from './errors.js'
import type { CloudEvent, EventInput, JsonValue } from './event/cloud-event.js'

/** Headers (names in lower case, as Node has them) and body of an HTTP request or response. */
export interface HttpMessage {
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  body: string | Uint8Array
}

/** How CloudEvents 1.0 travel in an HTTP message. */
export type HttpMode = 'structured' | 'batched' | 'binary'

const STRUCTURED = 'application/cloudevents+json'
const BATCHED = 'application/cloudevents-batch+json'
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const

/** How the message carries events; undefined when it carries none. */
export function cloudEventsMode(headers: HttpMessage['headers']): HttpMode | undefined {
  const type = mediaType(header(headers, 'content-type'))
  if (type === STRUCTURED) return 'structured'
  if (type === BATCHED) return 'batched'
  return header(headers, 'ce-specversion') === undefined ? undefined : 'binary'
}

/**
 * Reads the events of an HTTP message in whichever mode it is.
 *
 * @throws EventBusError `INVALID_EVENT` for a message without events, broken JSON or a missing required attribute
 */
export function parseCloudEvents(message: HttpMessage): EventInput[] {
  const mode = cloudEventsMode(message.headers)
  if (mode === 'structured') return [checked(parseJson(message.body), 'the body')]
  if (mode === 'binary') return [checked(readBinary(message), 'the headers')]
  if (mode === undefined) {
    throw invalid(
      `content-type: expected ${STRUCTURED}, ${BATCHED} or ce-* headers, got ${header(message.headers, 'content-type') ?? 'none'}`,
    )
  }
  const events = parseJson(message.body)
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

/** The data as the body, the attributes as `ce-*` headers. */
export function formatBinary(event: CloudEvent): HttpMessage {
  const { data, data_base64, datacontenttype, ...attributes } = event
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) headers[`ce-${name}`] = encodeHeader(String(value))
  }
  if (data_base64 !== undefined) {
    if (datacontenttype !== undefined) headers['content-type'] = datacontenttype
    return { headers, body: Buffer.from(data_base64, 'base64') }
  }
  if (data === undefined) return { headers, body: '' }
  const isText =
    typeof data === 'string' && datacontenttype !== undefined && !isJson(datacontenttype)
  headers['content-type'] = datacontenttype ?? 'application/json'
  return { headers, body: isText ? data : JSON.stringify(data) }
}

function readBinary({ headers, body }: HttpMessage): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  for (const name of Object.keys(headers)) {
    if (name.startsWith('ce-')) event[name.slice(3)] = decodeHeader(name, header(headers, name)!)
  }
  // The CloudEvents extension wins: it belongs to the event, the plain header only to this request.
  for (const name of ['traceparent', 'tracestate']) {
    const value = header(headers, name)
    if (event[name] === undefined && value !== undefined) event[name] = value
  }
  const type = header(headers, 'content-type')
  if (type !== undefined) event.datacontenttype = type
  if (body.length === 0) return event
  if (type === undefined || isJson(type)) event.data = parseJson(body)
  else if (type.startsWith('text/')) event.data = Buffer.from(body).toString('utf8')
  else event.data_base64 = Buffer.from(body).toString('base64')
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

function parseJson(body: string | Uint8Array): JsonValue {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8')
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    throw invalid(`body: expected JSON, got ${(cause as Error).message}`, 'data', cause)
  }
}

function header(headers: HttpMessage['headers'], name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' || value === undefined ? value : value[0]
}

function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.replace(/;.*$/s, '').trim().toLowerCase()
}

function isJson(contentType: string): boolean {
  return /[/+]json$/.test(mediaType(contentType) ?? '')
}

/** CloudEvents HTTP binding 1.0.2, 3.1.3.2: everything but printable ASCII, and space, `"` and `%`, is percent-encoded. */
function encodeHeader(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, (part) =>
    [...Buffer.from(part)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

function decodeHeader(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw invalid(`${name}: expected percent-encoded UTF-8, got ${value.slice(0, 80)}`, name, cause)
  }
}

function invalid(message: string, attribute?: string, cause?: unknown): EventBusError {
  return new EventBusError('INVALID_EVENT', message, {
    details: attribute === undefined ? {} : { attribute },
    ...(cause !== undefined && { cause }),
  })
}
