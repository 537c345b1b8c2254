import { invalidType, nodeError } from '../node-error.js'
import { Buffer } from './buffer-class.js'
import { decode, type Encoding, encodingOf } from './encodings.js'

type Chunk = Uint8Array

/** Bytes at the end of `bytes` that are the start of a character whose rest is still to come. */
function openBytes(bytes: Chunk, encoding: Encoding): number {
  switch (encoding) {
    case 'utf16le': {
      const odd = bytes.length % 2
      const at = bytes.length - odd - 1
      const isHigh = at > 0 && (bytes[at]! & 0xfc) === 0xd8
      return odd + (isHigh ? 2 : 0)
    }
    case 'base64':
    case 'base64url':
      return bytes.length % 3
    case 'utf8':
      return openUtf8(bytes)
    default:
      return 0
  }
}

function openUtf8(bytes: Chunk): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const needed =
      (byte & 0xf8) === 0xf0 ? 4 : (byte & 0xf0) === 0xe0 ? 3 : (byte & 0xe0) === 0xc0 ? 2 : 1
    return needed > back ? back : 0
  }
  return 0
}

interface Decoder {
  encoding: string
  lastNeed: number
  lastTotal: number
  lastChar: Chunk
  write(chunk: unknown): string
  end(chunk?: unknown): string
}

const kinds = new WeakMap<object, Encoding>()

/** Turns bytes that come in parts into text, and keeps what is not a whole character for the next part. */
export const StringDecoder = function (this: Decoder, name?: unknown) {
  const encoding = name === undefined || name === null ? 'utf8' : encodingOf(name)
  if (!encoding)
    throw nodeError(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(name)}`)
  kinds.set(this, encoding)
  this.encoding = encoding
  this.lastNeed = 0
  this.lastTotal = 0
  Object.defineProperty(this, 'lastChar', {
    value: (Buffer.alloc as (size: number) => Chunk)(0),
    writable: true,
    configurable: true,
  })
} as unknown as { new (encoding?: string): Decoder; prototype: Decoder }

StringDecoder.prototype.write = function (chunk) {
  if (typeof chunk === 'string') return chunk
  if (!ArrayBuffer.isView(chunk)) {
    throw invalidType('buf', 'an instance of Buffer, TypedArray, or DataView', chunk)
  }
  const encoding = kinds.get(this)!
  const part = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const kept = this.lastChar
  const bytes = kept.length === 0 ? part : (Buffer.concat as (list: Chunk[]) => Chunk)([kept, part])
  const open = openBytes(bytes, encoding)
  this.lastChar = (Buffer.from as (bytes: Chunk) => Chunk)(bytes.slice(bytes.length - open))
  this.lastTotal = open
  return decode(bytes.subarray(0, bytes.length - open), encoding)
}

StringDecoder.prototype.end = function (chunk) {
  const text = chunk === undefined ? '' : this.write(chunk)
  const encoding = kinds.get(this)!
  const rest = decode(this.lastChar, encoding)
  this.lastChar = (Buffer.alloc as (size: number) => Chunk)(0)
  this.lastTotal = 0
  return text + rest
}
;(StringDecoder.prototype as Decoder & { text: unknown }).text = function (
  this: Decoder,
  bytes: Chunk,
  offset = 0,
) {
  this.lastChar = (Buffer.alloc as (size: number) => Chunk)(0)
  return this.write(bytes.subarray(offset))
}

Object.defineProperty(StringDecoder, 'name', { value: 'StringDecoder', configurable: true })

export default { StringDecoder }
