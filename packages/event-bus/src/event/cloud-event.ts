import { describeThrown } from '@nexus/diagnostics'
import { EventBusError } from '../errors.js'
import { unwantedCharacter } from './plain-text.js'
import { parseRfc3339 } from './rfc3339.js'
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
export interface CloudEvent<Data = JsonValue> {
  /** The version of the specification. */
  specversion: '1.0'
  /** Unique within its source: publishing the same source and id again stores nothing. */
  id: string
  /** URI reference of what produced the event. */
  source: string
  /** Such as `com.example.order.created`: patterns look at the tokens between the dots. */
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
  /** The payload, where it is JSON. */
  data?: Data
  /** Binary payload, base64; never together with `data`. */
  data_base64?: string
  /** Extension attributes; names are lower case letters and digits. */
  [extension: string]: Data | JsonValue | undefined
}

/** What `publish` takes: only `type` is required, the rest is filled in. */
export interface EventInput {
  /** What happened, such as `com.example.order.paid`. */
  type: string
  /** The payload; anything that JSON can say. */
  data?: unknown
  /** @default a UUID of version 7: ids that grow with time keep the index of ids small to write */
  id?: string
  /** @default the bus's `source` option */
  source?: string
  /** RFC 3339, or a Date. @default now */
  time?: string | Date
  /** What it happened to. */
  subject?: string
  /** The media type of `data`. */
  datacontenttype?: string
  /** URI of the schema of `data`. */
  dataschema?: string
  /** W3C trace context. */
  traceparent?: string
  /** W3C trace context. */
  tracestate?: string
  /** Binary payload, base64; never together with `data`. */
  data_base64?: string
  /** Extension attributes; names are lower case letters and digits. */
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
const EXTENSION_NAME = /^[a-z0-9]{1,64}$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const [MIN_INTEGER, MAX_INTEGER] = [-(2 ** 31), 2 ** 31 - 1]
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
  const type = key('type', input.type)
  // They stand for tokens in patterns.
  if (/[*>]/.test(type)) throw invalid('type', 'a type without `*` and `>`', type)
  if (input.specversion !== undefined && input.specversion !== '1.0') {
    throw invalid('specversion', '"1.0"', input.specversion)
  }
  const event: CloudEvent = {
    specversion: '1.0',
    id: input.id === undefined ? timeOrderedId() : key('id', input.id),
    source: input.source === undefined ? defaults.source : key('source', input.source),
    type,
    time: readTime(input.time, defaults.now),
  }
  for (const name of Object.keys(input)) {
    const value = input[name]
    if (value === undefined || value === null || Object.hasOwn(event, name)) continue
    event[name] = KNOWN.has(name) ? knownAttribute(name, value) : extension(name, value)
  }
  if (event.data !== undefined && event.data_base64 !== undefined) {
    throw invalid('data_base64', 'either `data` or `data_base64`, not both', 'both')
  }
  // A null payload is a payload, unless there is another one; the other attributes read null as absent.
  if (input.data === null && event.data_base64 === undefined) event.data = null
  const json = stringify(event, defaults.maxEventBytes)
  return { event, json, hasFreshId: input.id === undefined }
}

function knownAttribute(name: string, value: unknown): JsonValue {
  if (name === 'data') return value as JsonValue
  if (name === 'data_base64') return base64(value)
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a non-empty string', value)
  return text(name, value)
}

function base64(value: unknown): string {
  if (typeof value === 'string' && value.length % 4 === 0 && BASE64.test(value)) return value
  throw invalid('data_base64', 'base64 with its padding', value)
}

function extension(name: string, value: unknown): JsonValue {
  if (!EXTENSION_NAME.test(name)) {
    throw invalid(name, 'an extension name of 1 to 64 lower-case letters and digits', name)
  }
  if (typeof value === 'string') return text(name, value)
  const isInteger = Number.isInteger(value) && Number(value) >= MIN_INTEGER
  if (typeof value === 'boolean' || (isInteger && Number(value) <= MAX_INTEGER)) {
    return value as number | boolean
  }
  throw invalid(name, 'a string, a boolean or an integer of 32 bits', value)
}

/** An attribute's text, which must come back from every store as it was. */
function text(name: string, value: string): string {
  const unwanted = unwantedCharacter(value)
  if (unwanted === undefined) return value
  throw invalid(
    name,
    'text without control characters and halves of surrogate pairs',
    value,
    unwanted,
  )
}

function key(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a non-empty string', value)
  if (value.length > MAX_ATTRIBUTE_BYTES / 4 && Buffer.byteLength(value) > MAX_ATTRIBUTE_BYTES) {
    throw invalid(name, `at most ${MAX_ATTRIBUTE_BYTES} bytes`, `${Buffer.byteLength(value)} bytes`)
  }
  return text(name, value)
}

function readTime(time: unknown, now: number): string {
  if (time === undefined || time === null) return timestamp(now)
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.toISOString()
  if (typeof time === 'string' && parseRfc3339(time) !== undefined) return time
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
    throw new EventBusError(
      'INVALID_EVENT',
      `data: expected JSON, got ${describeThrown(cause).message}`,
      {
        details: { attribute: 'data', id: event.id, type: event.type },
        cause,
      },
    )
  }
  // JSON writes numbers that are not finite as null.
  if (json.includes('null')) assertFinite(event.data)
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

/** Refuses NaN and the infinities, which `1e400` in a JSON text becomes too. */
function assertFinite(data: JsonValue | undefined): void {
  const waiting: unknown[] = [data]
  const seen = new Set<unknown>()
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw invalid('data', 'numbers that JSON can write', value)
    }
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    for (const member of Object.values(value)) waiting.push(member)
  }
}

function invalid(
  attribute: string,
  expected: string,
  got: unknown,
  shown = typeof got === 'string' ? JSON.stringify(got.slice(0, 80)) : describe(got),
): EventBusError {
  return new EventBusError('INVALID_EVENT', `${attribute}: expected ${expected}, got ${shown}`, {
    details: { attribute },
  })
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
