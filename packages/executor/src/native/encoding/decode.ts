import { clipText } from '../../result/clip-text.js'
import { copyUnits } from '../native-price.js'
import type { NativeService } from '../native-service.js'
import { SINGLE_BYTE_TABLES } from './single-byte-tables.js'

/** Decoding a byte of a legacy encoding, in units. */
const UNITS_PER_BYTE = 1 / 50
const MAX_LABEL_LENGTH = 64
/** A byte of a single-byte encoding is at most three bytes of UTF-8; two of others are at most four. */
const MAX_UTF8_PER_BYTE = 3
const MULTI_BYTE = new Set([
  'big5',
  'euc-jp',
  'euc-kr',
  'gb18030',
  'gbk',
  'iso-2022-jp',
  'shift_jis',
  'utf-16be',
  'utf-16le',
  'utf-8',
])
/** The longest beginning of a character that the next chunk may end. */
const MAX_TAIL_BYTES = 3
const ESCAPE = 0x1b

/** `(label)`: the name of the encoding, in small letters. */
export const encodingName: NativeService = ([label]) => {
  if (typeof label !== 'string' || label.length > MAX_LABEL_LENGTH) {
    throw unknownEncoding(label)
  }
  return {
    what: 'Looking up an encoding',
    units: copyUnits(label.length),
    outputBytes: MAX_LABEL_LENGTH,
    run: () => nameOf(label),
  }
}

/**
 * `(name, fatal, ignoreBOM, isLast, bytes)`: how many bytes at the end are the beginning of a character that the next chunk
 * may end, what must come before that chunk in hexadecimal, and the text; separated by colons.
 */
export const decodeText: NativeService = ([name, fatal, ignoreBOM, isLast, bytes]) => {
  if (typeof name !== 'string' || !(bytes instanceof Uint8Array)) {
    throw new TypeError('Expected the name of an encoding and bytes')
  }
  return {
    what: `Decoding ${bytes.length} bytes`,
    units: copyUnits(bytes.length) + bytes.length * UNITS_PER_BYTE,
    outputBytes: 32 + bytes.length * MAX_UTF8_PER_BYTE,
    run: () =>
      decode(nameOf(name), { fatal: fatal === 1, ignoreBOM: ignoreBOM === 1 }, isLast === 1, bytes),
  }
}

function nameOf(label: string): string {
  const known = label.trim().toLowerCase()
  if (SINGLE_BYTE_TABLES.has(known)) return known
  try {
    return new TextDecoder(label).encoding
  } catch {
    throw unknownEncoding(label)
  }
}

function unknownEncoding(label: unknown): RangeError {
  const shown = typeof label === 'string' ? clipText(label, MAX_LABEL_LENGTH) : ''
  const error = new RangeError(`The "${shown}" encoding is not supported`)
  return Object.assign(error, { code: 'ERR_ENCODING_NOT_SUPPORTED' })
}

function decode(
  name: string,
  options: TextDecoderOptions,
  isLast: boolean,
  bytes: Uint8Array,
): string {
  if (!MULTI_BYTE.has(name)) return `0::${decodeSingleBytes(name, options, bytes)}`
  const decoder = new TextDecoder(name, options)
  if (isLast) return `0::${decoder.decode(bytes)}`
  const text = decoder.decode(bytes, { stream: true })
  const shift = name === 'iso-2022-jp' ? lastEscape(bytes) : ''
  return `${tailLength(name, bytes, text)}:${shift}:${text}`
}

/** Each byte is a character of its own; those below 128 are ASCII, whatever the library says of IBM866. */
function decodeSingleBytes(name: string, { fatal }: TextDecoderOptions, bytes: Uint8Array): string {
  const table = SINGLE_BYTE_TABLES.get(name) ?? tableOf(name)
  let text = ''
  for (const byte of bytes) {
    const char = byte < 0x80 ? String.fromCharCode(byte) : table[byte - 0x80]!
    if (fatal && char === '\ufffd') {
      const error = new TypeError(`The encoded data was not valid for encoding ${name}`)
      throw Object.assign(error, { code: 'ERR_ENCODING_INVALID_ENCODED_DATA' })
    }
    text += char
  }
  return text
}

const tables = new Map<string, string>()

function tableOf(name: string): string {
  let table = tables.get(name)
  if (table === undefined) {
    table = new TextDecoder(name).decode(Uint8Array.from({ length: 128 }, (_, i) => 0x80 + i))
    tables.set(name, table)
  }
  return table
}

/** The bytes without which the same text comes, and no more is waited for. */
function tailLength(name: string, bytes: Uint8Array, text: string): number {
  for (let tail = 0; tail <= Math.min(MAX_TAIL_BYTES, bytes.length); tail++) {
    const whole = new TextDecoder(name, { ignoreBOM: true })
    const shorter = whole.decode(bytes.subarray(0, bytes.length - tail))
    if (shorter === text || shorter === `\ufeff${text}`) return tail
  }
  return 0
}

/** What switched to the characters that are in force at the end. */
function lastEscape(bytes: Uint8Array): string {
  const at = bytes.lastIndexOf(ESCAPE)
  if (at < 0 || at + 3 > bytes.length) return ''
  return Buffer.from(bytes.subarray(at, at + 3)).toString('hex')
}
