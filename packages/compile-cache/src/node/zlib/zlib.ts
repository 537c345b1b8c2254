import Stream from 'readable-stream/lib/stream.js'
import { Buffer } from '../bytes/buffer-class.js'
import { assertFunction, invalidType, nodeError } from '../node-error.js'
import { nextTick } from '../process/next-tick.js'
import { constants } from './constants.js'

interface Options {
  maxOutputLength?: number
  [name: string]: unknown
}

interface Host {
  now(name: string, ...args: unknown[]): ArrayBuffer
}

const host = (globalThis as unknown as Record<symbol, Host>)[Symbol.for('nexus.native')]!
const toBuffer = Buffer.from as (value: unknown) => Uint8Array

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return toBuffer(value)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  throw invalidType(
    'buffer',
    'of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer',
    value,
  )
}

function run(method: string, value: unknown, options: Options = {}): Uint8Array {
  const bytes = bytesOf(value)
  try {
    return toBuffer(
      host.now('zlib.run', method, bytes, JSON.stringify(options), options.maxOutputLength),
    )
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code?.startsWith('Z_')) {
      throw nodeError(Error, code, message, { errno: (constants as Record<string, number>)[code] })
    }
    throw error
  }
}

type Callback = (error: unknown, result?: Uint8Array) => void

function sync(method: string) {
  return (value: unknown, options?: Options) => run(method, value, options)
}

function later(method: string) {
  return (value: unknown, optionsOrCallback: Options | Callback, callback?: Callback): void => {
    const options = typeof optionsOrCallback === 'function' ? {} : optionsOrCallback
    const done = typeof optionsOrCallback === 'function' ? optionsOrCallback : callback!
    assertFunction(done, 'callback')
    bytesOf(value)
    nextTick(() => {
      let result: Uint8Array
      try {
        result = run(method, value, options)
      } catch (error) {
        done(error)
        return
      }
      done(null, result)
    })
  }
}

/** A stream that packs or unpacks when all of its input is there. */
function stream(method: string) {
  return (options: Options = {}) => {
    const chunks: Uint8Array[] = []
    return new (Stream.Transform as unknown as new (options: object) => object)({
      ...options,
      transform(chunk: unknown, _encoding: string, done: () => void) {
        chunks.push(bytesOf(chunk))
        done()
      },
      flush(done: (error: unknown, result?: Uint8Array) => void) {
        try {
          done(
            null,
            run(method, (Buffer.concat as (list: Uint8Array[]) => Uint8Array)(chunks), options),
          )
        } catch (error) {
          done(error)
        }
      },
    })
  }
}

export const gzipSync = sync('gzip')
export const gunzipSync = sync('gunzip')
export const deflateSync = sync('deflate')
export const inflateSync = sync('inflate')
export const deflateRawSync = sync('deflateRaw')
export const inflateRawSync = sync('inflateRaw')
export const unzipSync = sync('unzip')
export const brotliCompressSync = sync('brotliCompress')
export const brotliDecompressSync = sync('brotliDecompress')
export const gzip = later('gzip')
export const gunzip = later('gunzip')
export const deflate = later('deflate')
export const inflate = later('inflate')
export const deflateRaw = later('deflateRaw')
export const inflateRaw = later('inflateRaw')
export const unzip = later('unzip')
export const brotliCompress = later('brotliCompress')
export const brotliDecompress = later('brotliDecompress')
export const createGzip = stream('gzip')
export const createGunzip = stream('gunzip')
export const createDeflate = stream('deflate')
export const createInflate = stream('inflate')
export const createDeflateRaw = stream('deflateRaw')
export const createInflateRaw = stream('inflateRaw')
export const createUnzip = stream('unzip')
export const createBrotliCompress = stream('brotliCompress')
export const createBrotliDecompress = stream('brotliDecompress')

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The checksum of zip and gzip. */
export function crc32(data: unknown, start = 0): number {
  let sum = ~start
  for (const byte of bytesOf(data)) sum = TABLE[(sum ^ byte) & 0xff]! ^ (sum >>> 8)
  return ~sum >>> 0
}

export { constants }
export default {
  brotliCompress,
  brotliCompressSync,
  brotliDecompress,
  brotliDecompressSync,
  constants,
  crc32,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createDeflateRaw,
  createGunzip,
  createGzip,
  createInflate,
  createInflateRaw,
  createUnzip,
  deflate,
  deflateRaw,
  deflateRawSync,
  deflateSync,
  gunzip,
  gunzipSync,
  gzip,
  gzipSync,
  inflate,
  inflateRaw,
  inflateRawSync,
  inflateSync,
  unzip,
  unzipSync,
  ...constants,
}
