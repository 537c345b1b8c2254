import { EventBusError } from '../errors.js'

/** CloudEvents HTTP binding 1.0.2, 3.1.3.2: everything but printable ASCII, and space, `"` and `%`, is percent-encoded. */
export function encodeHeaderValue(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, (part) =>
    [...Buffer.from(part)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

/**
 * Reads the value of a `ce-` header: a quoted string loses its quotes and backslashes, then one round of
 * percent-decoding (CloudEvents HTTP binding 1.0.2, 3.1.3.2).
 *
 * @throws EventBusError `INVALID_EVENT` for what is not UTF-8
 */
export function decodeHeaderValue(name: string, value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1]
  const plain = quoted === undefined ? value : quoted.replace(/\\(.)/gs, '$1')
  try {
    return decodeURIComponent(rawUtf8(plain))
  } catch (cause) {
    throw new EventBusError(
      'INVALID_EVENT',
      `${name}: expected percent-encoded UTF-8, got ${JSON.stringify(value.slice(0, 80))}`,
      { details: { attribute: name }, cause },
    )
  }
}

/** Node hands out each byte of a header as one character: bytes that a sender did not encode are put together again. */
function rawUtf8(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[^\0-\xff]/.test(value)) return value
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
}
