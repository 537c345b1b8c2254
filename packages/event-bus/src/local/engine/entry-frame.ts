import { crc32 } from 'node:zlib'
import { EventBusError } from '../../errors.js'

/**
 * How an entry of a table other than `events` lies in the file: CRC-32 of its JSON, CRC-32 of its table and key, both little
 * endian, then the JSON. Damage is seen then, also where it moved an entry to another key.
 */
const HEADER_BYTES = 8

/** Writes a value as it lies in the file. */
export function encodeEntry(table: string, key: unknown, value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value))
  const entry = Buffer.allocUnsafe(HEADER_BYTES + json.length)
  entry.writeUInt32LE(crc32(json), 0)
  entry.writeUInt32LE(placeOf(table, key), 4)
  json.copy(entry, HEADER_BYTES)
  return entry
}

/**
 * Reads the value of an entry.
 *
 * @throws EventBusError `STORE_CORRUPT` when its bytes do not match their checksums
 */
export function decodeEntry(table: string, key: unknown, entry: Buffer, path: string): unknown {
  if (isIntactEntry(table, key, entry)) {
    return JSON.parse(entry.toString('utf8', HEADER_BYTES))
  }
  throw new EventBusError(
    'STORE_CORRUPT',
    `entry ${JSON.stringify(key)} of table ${table}: its bytes in ${path} do not match their checksum; close the bus and recover the intact events with recoverLocalStore`,
    { details: { table, path } },
  )
}

/** Whether an entry is what was written, at the key where it was written. */
export function isIntactEntry(table: string, key: unknown, entry: Buffer): boolean {
  if (entry.length < HEADER_BYTES) return false
  const isWhole = crc32(entry.subarray(HEADER_BYTES)) === entry.readUInt32LE(0)
  return isWhole && entry.readUInt32LE(4) === placeOf(table, key)
}

function placeOf(table: string, key: unknown): number {
  return crc32(`${table} ${JSON.stringify(key)}`)
}
