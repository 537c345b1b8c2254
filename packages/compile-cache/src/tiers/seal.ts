import { createHmac, timingSafeEqual } from 'node:crypto'
import xxhash, { type XXHashAPI } from 'xxhash-wasm'

/*
 * A sealed file is a header of 136 bytes and a payload. Numbers are little-endian.
 *
 *    0  4  magic "NXCC"
 *    4  1  format version
 *    5  1  kind of payload
 *    6  1  flags: 1 = a source map goes with this bytecode, 2 = the HMAC is set
 *    7  1  0
 *    8  4  payload length
 *   12 32  cache key
 *   44 52  engine version, padded with 0
 *   96  8  xxhash64 of bytes 0–95 and the payload
 *  104 32  HMAC-SHA256 of bytes 0–103 and the payload, or 0
 */
const FORMAT_VERSION = 1
const CHECKSUM_AT = 96
const MAC_AT = 104
const HEADER_BYTES = 136

/**
 * Longest sealed file, in bytes: what the largest bundle within the default limits makes, twice over. A longer one was
 * not written by a cache, and would only take memory.
 */
export const MAX_SEALED_BYTES = 128 * 1024 * 1024

const FLAG_SOURCE_MAP = 1
const FLAG_MAC = 2

/** What a sealed file holds. */
export type SealedKind = 'bytecode' | 'source-map' | 'bundle-record'

const KIND_CODES: Record<SealedKind, number> = { bytecode: 1, 'source-map': 2, 'bundle-record': 3 }

/** A payload with what its header says about it. */
export interface SealedPayload {
  payload: Uint8Array<ArrayBuffer>
  /** Whether a source map was stored with this bytecode. */
  hasSourceMap: boolean
}

/** Instantiating the hash takes longer than reading a file, so once per process is enough. */
let loadedHash: Promise<XXHashAPI> | undefined

/** Seals the files of one compiler, and opens only what one like it has sealed. */
export class Sealer {
  /** Length of the header, in bytes. */
  static readonly headerBytes = HEADER_BYTES

  readonly #hash: XXHashAPI
  readonly #engine: string
  readonly #secret: string | Uint8Array | undefined

  static async create(engine: string, secret: string | Uint8Array | undefined): Promise<Sealer> {
    loadedHash ??= xxhash()
    return new Sealer(await loadedHash, engine, secret)
  }

  private constructor(hash: XXHashAPI, engine: string, secret: string | Uint8Array | undefined) {
    this.#hash = hash
    this.#engine = engine
    this.#secret = secret
  }

  /** The file for `payload`: header, then payload. */
  seal(kind: SealedKind, key: string, payload: Uint8Array, hasSourceMap = false): Buffer {
    const file = Buffer.alloc(HEADER_BYTES + payload.byteLength)
    this.#header(kind, key, payload.byteLength, hasSourceMap).copy(file)
    file.set(payload, HEADER_BYTES)
    file.writeBigUInt64LE(this.#checksum(file), CHECKSUM_AT)
    if (this.#secret !== undefined) this.#mac(file, this.#secret).copy(file, MAC_AT)
    return file
  }

  /**
   * The payload of a sealed file, as a copy of its own.
   *
   * @returns undefined unless every byte of the file is as this sealer would have written it for this
   *   kind and key
   */
  open(kind: SealedKind, key: string, file: Uint8Array): SealedPayload | undefined {
    const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
    if (bytes.byteLength < HEADER_BYTES || bytes.byteLength > MAX_SEALED_BYTES) return undefined
    const hasSourceMap = (bytes[6]! & FLAG_SOURCE_MAP) !== 0
    const expected = this.#header(kind, key, bytes.byteLength - HEADER_BYTES, hasSourceMap)
    if (expected.compare(bytes, 0, CHECKSUM_AT) !== 0) return undefined
    if (bytes.readBigUInt64LE(CHECKSUM_AT) !== this.#checksum(bytes)) return undefined
    const mac = bytes.subarray(MAC_AT, HEADER_BYTES)
    const expectedMac =
      this.#secret === undefined ? Buffer.alloc(mac.byteLength) : this.#mac(bytes, this.#secret)
    if (!timingSafeEqual(mac, expectedMac)) return undefined
    return { payload: new Uint8Array(bytes.subarray(HEADER_BYTES)), hasSourceMap }
  }

  /** How many bytes the sealed file at the start of `bytes` takes, going by its header. */
  static lengthOf(bytes: Uint8Array): number {
    if (bytes.byteLength < HEADER_BYTES) return bytes.byteLength
    return HEADER_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)
  }

  #header(kind: SealedKind, key: string, length: number, hasSourceMap: boolean): Buffer {
    const header = Buffer.alloc(CHECKSUM_AT)
    header.write('NXCC', 0, 'latin1')
    header[4] = FORMAT_VERSION
    header[5] = KIND_CODES[kind]
    header[6] = (hasSourceMap ? FLAG_SOURCE_MAP : 0) | (this.#secret === undefined ? 0 : FLAG_MAC)
    header.writeUInt32LE(length, 8)
    header.write(key, 12, 32, 'hex')
    header.write(this.#engine, 44, 52, 'utf8')
    return header
  }

  #checksum(file: Buffer): bigint {
    const ofHeader = this.#hash.h64Raw(file.subarray(0, CHECKSUM_AT))
    return this.#hash.h64Raw(file.subarray(HEADER_BYTES), ofHeader)
  }

  #mac(file: Buffer, secret: string | Uint8Array): Buffer {
    return createHmac('sha256', secret)
      .update(file.subarray(0, MAC_AT))
      .update(file.subarray(HEADER_BYTES))
      .digest()
  }
}
