import { EventBusError } from '../errors.js'
import type { JsonValue } from '../event/cloud-event.js'
import { charset, isJson, mediaType } from './media-type.js'

/** Far more than real data has, far less than what `JSON.stringify` and a sandbox can walk. */
const MAX_DEPTH = 256

/** What a body is as the payload of an event. */
export type BodyData = { data: JsonValue } | { data_base64: string }

/**
 * The payload that a body is, without changing a byte of it: JSON as the value, text as a string decoded from its
 * charset, and everything else as base64, text that is not valid in its charset included.
 *
 * @param contentType its media type; JSON when it says nothing
 * @throws EventBusError `INVALID_JSON`, `TOO_DEEP`
 */
export function bodyData(body: string | Uint8Array, contentType: string | undefined): BodyData {
  if (contentType === undefined || isJson(contentType)) {
    return { data: parseJsonBody(body, contentType) }
  }
  if (isText(contentType)) {
    const text = typeof body === 'string' ? body : decode(body, charset(contentType), true)
    if (text !== undefined) return { data: text }
  }
  return { data_base64: Buffer.from(body).toString('base64') }
}

function isText(contentType: string): boolean {
  const type = mediaType(contentType) ?? ''
  return /^text\/|[/+]xml$/.test(type) || charset(contentType) !== undefined
}

/**
 * Parses JSON from the bytes of a request.
 *
 * @throws EventBusError `INVALID_JSON` for anything that JSON cannot give back unchanged: bytes that are not valid in
 * their charset, numbers too large for a double; `TOO_DEEP` for more than 256 levels
 */
export function parseJsonBody(body: string | Uint8Array, contentType?: string): JsonValue {
  const label = charset(contentType)
  const text = typeof body === 'string' ? body : decode(body, label, false)
  if (text === undefined) {
    throw new EventBusError(
      'INVALID_JSON',
      `body: expected JSON, got bytes that are not ${label ?? 'UTF-8'}`,
    )
  }
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch (cause) {
    const why = text.length === 0 ? 'an empty body' : (cause as Error).message
    throw new EventBusError('INVALID_JSON', `body: expected JSON, got ${why}`, { cause })
  }
  assertKept(value, MAX_DEPTH)
  return value
}

function assertKept(value: unknown, levels: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new EventBusError(
      'INVALID_JSON',
      'body: expected numbers that a double can hold, at most about 1.8e308; send larger ones as strings',
    )
  }
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) {
    throw new EventBusError('TOO_DEEP', `body: expected at most ${MAX_DEPTH} levels of nesting`)
  }
  for (const inner of Object.values(value)) assertKept(inner, levels - 1)
}

/** The characters of the bytes 0x80 to 0x9f in windows-1252; five of them have none. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/** Some versions of Node 20 to 22 decode windows-1252 as ISO 8859-1, which has control characters there. */
function withWindows1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80]!)
}

/** @returns undefined for bytes that are not valid in the charset, and for a charset that is not known */
function decode(bytes: Uint8Array, label = 'utf-8', keepBom: boolean): string | undefined {
  // What the web calls by this name is another one, which changes 27 of its bytes.
  if (/^(iso-8859-1|iso_8859-1|latin1|l1)$/.test(label))
    return Buffer.from(bytes).toString('latin1')
  if (/^(us-ascii|ascii)$/.test(label) && bytes.some((byte) => byte > 0x7f)) return undefined
  try {
    const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: keepBom })
    const text = decoder.decode(bytes)
    return decoder.encoding === 'windows-1252' ? withWindows1252(text) : text
  } catch {
    return undefined
  }
}
