import { crc32 } from 'node:zlib'
import { EventBusError } from '../errors.js'
import type { CloudEvent } from '../event/cloud-event.js'
import type { LogRecord } from '../log/log-engine.js'

/**
 * How an event lies in the file, little endian: `NXE1`, CRC-32 of what follows the length, length of the
 * JSON, then sequence, time of storing and time of delivery (0 for none) as doubles, then the event's JSON.
 * It can be found and checked without the database's pages, so events can be recovered from a file whose
 * index is gone.
 */
export const FRAME_MAGIC = Buffer.from('NXE1')
export const FRAME_HEADER_BYTES = 36
const CHECKED_FROM = 12

/** Writes a record as it lies in the file. */
export function encodeFrame(record: LogRecord): Buffer {
  const bytes = Buffer.byteLength(record.json)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bytes)
  FRAME_MAGIC.copy(frame)
  frame.writeUInt32LE(bytes, 8)
  frame.writeDoubleLE(record.sequence, 12)
  frame.writeDoubleLE(record.publishedAtMs, 20)
  frame.writeDoubleLE(record.deliverAtMs ?? 0, 28)
  frame.write(record.json, FRAME_HEADER_BYTES)
  frame.writeUInt32LE(crc32(frame.subarray(CHECKED_FROM)), 4)
  return frame
}

/** Reads a record that starts at `at`; undefined when the bytes are not an intact frame. */
export function decodeFrame(bytes: Buffer, at = 0): LogRecord | undefined {
  if (bytes.length - at < FRAME_HEADER_BYTES) return undefined
  if (bytes.compare(FRAME_MAGIC, 0, 4, at, at + 4) !== 0) return undefined
  const end = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8)
  if (end > bytes.length) return undefined
  if (crc32(bytes.subarray(at + CHECKED_FROM, end)) !== bytes.readUInt32LE(at + 4)) return undefined
  const json = bytes.toString('utf8', at + FRAME_HEADER_BYTES, end)
  const { id, type, source } = JSON.parse(json) as CloudEvent
  const deliverAtMs = bytes.readDoubleLE(at + 28)
  return {
    sequence: bytes.readDoubleLE(at + 12),
    publishedAtMs: bytes.readDoubleLE(at + 20),
    ...(deliverAtMs !== 0 && { deliverAtMs }),
    id,
    type,
    source,
    json,
  }
}

/** The error for an event whose bytes do not match their checksum. */
export function damagedRecord(sequence: number, path: string): EventBusError {
  return new EventBusError(
    'STORE_CORRUPT',
    `event at sequence ${sequence}: its bytes in ${path} do not match their checksum; close the bus and recover the intact events with recoverLocalStore`,
    { details: { sequence, path } },
  )
}
