import * as zlib from 'node:zlib'
import { copyUnits } from '../native-price.js'
import type { NativeArgument, NativeService } from '../native-service.js'

type Options = zlib.ZlibOptions & zlib.BrotliOptions
type Codec = (bytes: Uint8Array, options: Options) => Uint8Array

const PACKERS: Readonly<Record<string, Codec>> = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  deflateRaw: zlib.deflateRawSync,
  brotliCompress: zlib.brotliCompressSync,
}
const UNPACKERS: Readonly<Record<string, Codec>> = {
  gunzip: zlib.gunzipSync,
  inflate: zlib.inflateSync,
  inflateRaw: zlib.inflateRawSync,
  unzip: zlib.unzipSync,
  brotliDecompress: zlib.brotliDecompressSync,
}

/** What a byte costs, in units: packing at the highest level, the same of brotli, and unpacking to a byte. */
const PACK_UNITS_PER_BYTE = 1 / 10
const BROTLI_UNITS_PER_BYTE = 2
const UNPACK_UNITS_PER_BYTE = 1 / 200
/** What zlib's windows hold, what brotli takes to pack with its largest, and beside its window to unpack. */
const WORK_BYTES = 512 * 1024
const BROTLI_WORK_BYTES = 24 * 1024 * 1024
const BROTLI_TABLES_BYTES = 4 * 1024 * 1024
/** What bytes may unpack to when the guest names no limit: a bomb costs no more. */
const MAX_FACTOR = 1100
const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/** Options that change the result; all others are the guest's own affair. */
const NUMBERS = ['level', 'memLevel', 'strategy', 'windowBits', 'finishFlush', 'flush'] as const

function optionsOf(text: NativeArgument): Options {
  const given: Record<string, unknown> = typeof text === 'string' ? JSON.parse(text) : {}
  const options: Record<string, unknown> = {}
  for (const name of NUMBERS) if (typeof given[name] === 'number') options[name] = given[name]
  if (typeof given.params === 'object' && given.params !== null) {
    options.params = Object.fromEntries(
      Object.entries(given.params).filter(([, value]) => typeof value === 'number'),
    )
  }
  return options
}

/** The window that a brotli stream asks for, which its first byte says (RFC 7932, section 9.1). */
function brotliWindow(first = 0): number {
  if ((first & 1) === 0) return 2 ** 16
  const high = (first >> 1) & 7
  if (high !== 0) return 2 ** (17 + high)
  const low = (first >> 4) & 7
  return 2 ** (low === 0 ? 17 : 8 + low)
}

/** `(method, bytes, options, maxOutputBytes)`: packs or unpacks bytes at once. */
const run: NativeService = ([method, bytes, optionsText, maxOutputBytes]) => {
  const name = String(method)
  const packs = Object.hasOwn(PACKERS, name)
  if (!packs && !Object.hasOwn(UNPACKERS, name)) throw new TypeError('There is no such codec')
  if (!(bytes instanceof Uint8Array)) throw new TypeError('Expected bytes')
  const options = optionsOf(optionsText)
  const isBrotli = name.startsWith('brotli')
  if (packs) {
    const outputBytes = bytes.length + (bytes.length >>> 8) + 1024
    return {
      what: `zlib.${name} of ${bytes.length} bytes`,
      units:
        copyUnits(bytes.length) +
        bytes.length * (isBrotli ? BROTLI_UNITS_PER_BYTE : PACK_UNITS_PER_BYTE),
      outputBytes,
      workBytes: isBrotli ? BROTLI_WORK_BYTES : WORK_BYTES,
      run: () => PACKERS[name]!(bytes, options),
    }
  }
  const wanted =
    typeof maxOutputBytes === 'number' && maxOutputBytes > 0
      ? maxOutputBytes
      : DEFAULT_MAX_OUTPUT_BYTES
  const factor = isBrotli ? Number.POSITIVE_INFINITY : MAX_FACTOR
  const workBytes = isBrotli ? brotliWindow(bytes[0]) + BROTLI_TABLES_BYTES : WORK_BYTES
  const outputBytes = Math.min(wanted, bytes.length * factor + 1024)
  return {
    what: `zlib.${name} to at most ${outputBytes} bytes`,
    units: copyUnits(bytes.length) + outputBytes * UNPACK_UNITS_PER_BYTE,
    outputBytes,
    workBytes,
    run: () => UNPACKERS[name]!(bytes, { ...options, maxOutputLength: outputBytes }),
  }
}

/** What `node:zlib` of a handler asks for. */
export const ZLIB_SERVICES: readonly (readonly [name: string, service: NativeService])[] = [
  ['zlib.run', run],
]
