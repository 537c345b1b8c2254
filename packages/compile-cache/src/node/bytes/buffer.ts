import { invalidType, nodeError } from '../node-error.js'
import { Buffer, INSPECT_MAX_BYTES, kMaxLength, kStringMaxLength } from './buffer-class.js'
import { decode, encode, encodingOf } from './encodings.js'

const { atob, btoa, Blob, File } = globalThis
const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength }

function SlowBuffer(length: number): unknown {
  return Buffer(length)
}
SlowBuffer.prototype = Buffer.prototype

function bytesOf(input: unknown): Uint8Array {
  if (ArrayBuffer.isView(input))
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  if (input instanceof ArrayBuffer) return new Uint8Array(input)
  throw invalidType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', input)
}

function isUtf8(input: unknown): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(input))
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_INVALID_ARG_TYPE') throw error
    return false
  }
}

function isAscii(input: unknown): boolean {
  return bytesOf(input).every((byte) => byte < 128)
}

function transcode(source: unknown, from: unknown, to: unknown): unknown {
  if (!(source instanceof Uint8Array))
    throw invalidType('source', 'an instance of Buffer or Uint8Array', source)
  const [a, b] = [encodingOf(from), encodingOf(to)]
  const known = ['utf8', 'utf16le', 'latin1', 'ascii']
  if (!a || !b || !known.includes(a) || !known.includes(b)) {
    throw nodeError(
      Error,
      'U_ILLEGAL_ARGUMENT_ERROR',
      'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]',
      { errno: 1 },
    )
  }
  const text = decode(source, a)
  const fitting =
    b === 'latin1'
      ? text.replace(/[^\0-\xff]/gu, '?')
      : b === 'ascii'
        ? text.replace(/[^\0-\x7f]/gu, '?')
        : text
  return Buffer.from
    ? (Buffer.from as (bytes: Uint8Array) => unknown)(encode(fitting, b))
    : undefined
}

export {
  atob,
  Blob,
  Buffer,
  btoa,
  constants,
  File,
  INSPECT_MAX_BYTES,
  isAscii,
  isUtf8,
  kMaxLength,
  kStringMaxLength,
  SlowBuffer,
  transcode,
}
export default {
  atob,
  Blob,
  Buffer,
  btoa,
  constants,
  File,
  INSPECT_MAX_BYTES,
  isAscii,
  isUtf8,
  kMaxLength,
  kStringMaxLength,
  SlowBuffer,
  transcode,
}
