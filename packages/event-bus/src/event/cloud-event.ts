import { EventBusError } from '../errors.js'
import { timeOrderedId } from './time-ordered-id.js'

/** Anything `JSON.stringify` writes and `JSON.parse` gives back unchanged. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue | undefined }

/** A CloudEvents 1.0 event in its JSON shape; any other lower-case key is an extension attribute. */
export interface CloudEvent {
  specversion: '1.0'
  /** Unique on the bus: publishing the same id again stores nothing. */
  id: string
  /** URI reference of what produced the event. */
  source: string
  /** Dot-separated tokens, such as `com.example.order.created`. */
  type: string
  /** RFC 3339 time at which it happened. */
  time: string
  /** What the event is about within its source. */
  subject?: string
  /** Media type of `data`. */
  datacontenttype?: string
  /** URI of the schema of `data`. */
  dataschema?: string
  /** W3C trace context: the span the event was published in. */
  traceparent?: string
  /** W3C trace context: vendor state that belongs to `traceparent`. */
  tracestate?: string
  data?: JsonValue
  /** Binary payload, base64; never together with `data`. */
  data_base64?: string
  [extension: string]: JsonValue | undefined
}

/** What `publish` takes: only `type` is required, the rest is filled in. */
export interface EventInput {
  type: string
  data?: unknown
  /** @default a UUID of version 7: ids that grow with time keep the index of ids small to write */
  id?: string
  /** @default the bus's `source` option */
  source?: string
  /** RFC 3339, or a Date. @default now */
  time?: string | Date
  subject?: string
  datacontenttype?: string
  dataschema?: string
  traceparent?: string
  tracestate?: string
  data_base64?: string
  [extension: string]: unknown
}

/** What an event lacks that its publisher did not say. */
export interface EventDefaults {
  source: string
  now: number
  maxEventBytes: number
}

/** An event that was checked, with the JSON text it is stored as. */
export interface EncodedEvent {
  event: CloudEvent
  json: string
  /** The id was made here, so nothing can be stored under it yet. */
  hasFreshId?: boolean
}

/** Ids, types and sources are keys in every store; the smallest key limit among them decides. */
const MAX_ATTRIBUTE_BYTES = 512
const TYPE = /^[^\s.*>]+(?:\.[^\s.*>]+)*$/
const EXTENSION_NAME = /^[a-z0-9]{1,64}$/
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/
const KNOWN = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'subject',
  'datacontenttype',
  'dataschema',
  'data',
  'data_base64',
])

/**
 * Checks an event, fills in what it lacks and writes its JSON text.
 *
 * @throws EventBusError `INVALID_EVENT` naming the attribute, `EVENT_TOO_LARGE`
 */
export function encodeEvent(input: EventInput, defaults: EventDefaults): EncodedEvent {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid('event', 'an object with at least `type`', input)
  }
  const type = input.type
  if (typeof type !== 'string' || !TYPE.test(type)) {
    throw invalid('type', 'dot-separated tokens without spaces, `*` or `>`', type)
  }
  if (input.specversion !== undefined && input.specversion !== '1.0') {
    throw invalid('specversion', '"1.0"', input.specversion)
  }
  const event: CloudEvent = {
    specversion: '1.0',
    id: input.id === undefined ? timeOrderedId() : key('id', input.id),
    source: input.source === undefined ? defaults.source : key('source', input.source),
    type: key('type', type),
    time: readTime(input.time, defaults.now),
  }
  for (const name in input) {
    const value = input[name]
    if (value === undefined || value === null || name in event) continue
    event[name] = KNOWN.has(name) ? knownAttribute(name, value) : extension(name, value)
  }
  if (event.data !== undefined && event.data_base64 !== undefined) {
    throw invalid('data_base64', 'either `data` or `data_base64`, not both', 'both')
  }
  // A null payload is a payload; only the other attributes read null as absent.
  if (input.data === null) event.data = null
  const json = stringify(event, defaults.maxEventBytes)
  return { event, json, hasFreshId: input.id === undefined }
}

function knownAttribute(name: string, value: unknown): JsonValue {
  if (name === 'data') return value as JsonValue
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a non-empty string', value)
  return value
}

function extension(name: string, value: unknown): JsonValue {
  if (!EXTENSION_NAME.test(name)) {
    throw invalid(name, 'an extension name of 1 to 64 lower-case letters and digits', name)
  }
  const isInteger = typeof value === 'number' && Number.isInteger(value)
  if (typeof value !== 'string' && typeof value !== 'boolean' && !isInteger) {
    throw invalid(name, 'a string, a boolean or an integer', value)
  }
  return value as string | number | boolean
}

function key(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a non-empty string', value)
  if (value.length > MAX_ATTRIBUTE_BYTES / 4 && Buffer.byteLength(value) > MAX_ATTRIBUTE_BYTES) {
    throw invalid(name, `at most ${MAX_ATTRIBUTE_BYTES} bytes`, `${Buffer.byteLength(value)} bytes`)
  }
  return value
}

function readTime(time: unknown, now: number): string {
  if (time === undefined || time === null) return timestamp(now)
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.toISOString()
  if (typeof time === 'string' && RFC3339.test(time) && !Number.isNaN(Date.parse(time))) return time
  throw invalid('time', 'an RFC 3339 time such as 2026-01-31T12:00:00Z', time)
}

let latest = { ms: Number.NaN, text: '' }

/** Events of one millisecond share the text, whose making takes a third of a microsecond. */
function timestamp(ms: number): string {
  if (ms !== latest.ms) latest = { ms, text: new Date(ms).toISOString() }
  return latest.text
}

function stringify(event: CloudEvent, maxEventBytes: number): string {
  let json: string
  try {
    json = JSON.stringify(event)
  } catch (cause) {
    throw new EventBusError('INVALID_EVENT', `data: expected JSON, got ${String(cause)}`, {
      details: { attribute: 'data', id: event.id, type: event.type },
      cause,
    })
  }
  // One UTF-16 unit is at most 3 bytes of UTF-8: most events need no count.
  if (json.length * 3 > maxEventBytes && Buffer.byteLength(json) > maxEventBytes) {
    const bytes = Buffer.byteLength(json)
    throw new EventBusError(
      'EVENT_TOO_LARGE',
      `event ${event.id}: expected at most ${maxEventBytes} bytes of JSON, got ${bytes}; store the payload elsewhere and publish a reference, or raise maxEventBytes`,
      { details: { id: event.id, type: event.type, bytes, maxEventBytes } },
    )
  }
  return json
}

function invalid(attribute: string, expected: string, got: unknown): EventBusError {
  const shown = typeof got === 'string' ? JSON.stringify(got.slice(0, 80)) : describe(got)
  return new EventBusError('INVALID_EVENT', `${attribute}: expected ${expected}, got ${shown}`, {
    details: { attribute },
  })
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
