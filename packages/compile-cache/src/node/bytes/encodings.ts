import { nodeError } from '../node-error.js'

/** Names of encodings, as `Buffer` takes them. */
export type Encoding = 'utf8' | 'utf16le' | 'latin1' | 'ascii' | 'base64' | 'base64url' | 'hex'

const ENCODINGS: Record<string, Encoding> = {
  utf8: 'utf8',
  'utf-8': 'utf8',
  ucs2: 'utf16le',
  'ucs-2': 'utf16le',
  utf16le: 'utf16le',
  'utf-16le': 'utf16le',
  latin1: 'latin1',
  binary: 'latin1',
  ascii: 'ascii',
  base64: 'base64',
  base64url: 'base64url',
  hex: 'hex',
}

/** Methods of the engine that TypeScript's library does not know yet. */
interface EngineBytes {
  toBase64(options?: { alphabet?: 'base64' | 'base64url'; omitPadding?: boolean }): string
  toHex(): string
}
const fromBase64Text = (
  Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }
).fromBase64
const fromHexText = (Uint8Array as unknown as { fromHex(text: string): Uint8Array<ArrayBuffer> })
  .fromHex
const { toBase64, toHex } = Uint8Array.prototype as unknown as EngineBytes

/** Characters that one call of `String.fromCharCode` takes. */
const CHUNK = 4096

/** The encoding that `name` means, `undefined` for one that there is not. */
export function encodingOf(name: unknown): Encoding | undefined {
  if (typeof name !== 'string') return undefined
  const known = name.toLowerCase()
  return Object.hasOwn(ENCODINGS, known) ? ENCODINGS[known] : undefined
}

/** @throws ERR_UNKNOWN_ENCODING */
export function knownEncoding(name: unknown): Encoding {
  if (name === undefined || name === null || name === '') return 'utf8'
  const encoding = encodingOf(name)
  if (encoding) return encoding
  throw nodeError(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(name)}`)
}

/** The bytes of a text. */
export function encode(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
  switch (encoding) {
    case 'utf8':
      return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
    case 'utf16le':
      return encodeUnits(text)
    case 'latin1':
    case 'ascii': {
      const bytes = new Uint8Array(text.length)
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
      return bytes
    }
    case 'base64':
    case 'base64url':
      return fromBase64Text.call(Uint8Array, cleanBase64(text))
    case 'hex': {
      const [digits] = /^(?:[0-9a-fA-F]{2})*/.exec(text)!
      return fromHexText.call(Uint8Array, digits)
    }
  }
}

/** How many bytes a text has. */
export function encodedLength(text: string, encoding: Encoding): number {
  switch (encoding) {
    case 'utf16le':
      return text.length * 2
    case 'latin1':
    case 'ascii':
      return text.length
    case 'hex':
      return text.length >>> 1
    case 'base64':
    case 'base64url': {
      let { length } = text
      if (text.endsWith('=')) length--
      if (length > 1 && text[length - 1] === '=') length--
      return (length * 3) >>> 2
    }
    case 'utf8':
      return encode(text, 'utf8').length
  }
}

/** The text that bytes are. */
export function decode(bytes: Uint8Array, encoding: Encoding): string {
  switch (encoding) {
    case 'utf8':
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    case 'utf16le':
      return decodeUnits(bytes)
    case 'latin1':
      return fromCodes(bytes)
    case 'ascii':
      return fromCodes(bytes.map((byte) => byte & 0x7f))
    case 'base64':
      return toBase64.call(bytes)
    case 'base64url':
      return toBase64.call(bytes, { alphabet: 'base64url', omitPadding: true })
    case 'hex':
      return toHex.call(bytes)
  }
}

/** Node reads both alphabets, stops at `=`, and passes over everything else. */
function cleanBase64(text: string): string {
  const end = text.indexOf('=')
  const clean = (end < 0 ? text : text.slice(0, end))
    // Of a unit that is longer than a byte Node takes the low one.
    .replace(/[^\0-\xff]/g, (unit) => String.fromCharCode(unit.charCodeAt(0) & 0xff))
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    .replace(/[^A-Za-z0-9+/]+/g, '')
  return clean.length % 4 === 1 ? clean.slice(0, -1) : clean
}

function encodeUnits(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 2)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    bytes[2 * i] = unit
    bytes[2 * i + 1] = unit >> 8
  }
  return bytes
}

function decodeUnits(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length >>> 1)
  for (let i = 0; i < units.length; i++) units[i] = bytes[2 * i]! | (bytes[2 * i + 1]! << 8)
  return fromCodes(units)
}

function fromCodes(codes: Uint8Array | Uint16Array): string {
  let text = ''
  for (let at = 0; at < codes.length; at += CHUNK) {
    text += String.fromCharCode.apply(null, codes.subarray(at, at + CHUNK) as unknown as number[])
  }
  return text
}
