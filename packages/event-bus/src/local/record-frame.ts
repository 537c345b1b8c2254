import { crc32 } from 'node:zlib'
import { EventBusError } from '../errors.js'
import type { CloudEvent } from '../event/cloud-event.js'
import type { LogRecord } from '../log/log-engine.js'
import type { Erasure } from '../store/event-store.js'

/**
 * How an event lies in the file, little endian: `NXE1`, CRC-32 of what follows the length, length of the
 * JSON, then sequence, time of storing, time of delivery and its delay (NaN for none) as doubles, length of the
 * erasure's JSON (0 for none), then the event's JSON and that of its erasure.
 * It can be found and checked without the database's pages, so events can be recovered from a file whose
 * index is gone.
 */
export const FRAME_MAGIC = Buffer.from('NXE1')
export const FRAME_HEADER_BYTES = 48
const CHECKED_FROM = 12

/** Writes a record as it lies in the file. */
export function encodeFrame(record: LogRecord): Buffer {
  const bytes = Buffer.byteLength(record.json)
  const erasure = record.erased === undefined ? '' : JSON.stringify(record.erased)
  const erasureBytes = Buffer.byteLength(erasure)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bytes + erasureBytes)
  FRAME_MAGIC.copy(frame)
  frame.writeUInt32LE(bytes, 8)
  frame.writeDoubleLE(record.sequence, 12)
  frame.writeDoubleLE(record.publishedAtMs, 20)
  frame.writeDoubleLE(record.deliverAtMs ?? Number.NaN, 28)
  frame.writeDoubleLE(record.delayMs ?? Number.NaN, 36)
  frame.writeUInt32LE(erasureBytes, 44)
  frame.write(record.json, FRAME_HEADER_BYTES)
  frame.write(erasure, FRAME_HEADER_BYTES + bytes)
  frame.writeUInt32LE(crc32(frame.subarray(CHECKED_FROM)), 4)
  return frame
}

/** Reads a record that starts at `at`; undefined when the bytes are not an intact frame. */
export function decodeFrame(bytes: Buffer, at = 0): LogRecord | undefined {
  if (bytes.length - at < FRAME_HEADER_BYTES) return undefined
  if (bytes.compare(FRAME_MAGIC, 0, 4, at, at + 4) !== 0) return undefined
  const jsonEnd = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8)
  const end = jsonEnd + bytes.readUInt32LE(at + 44)
  if (end > bytes.length) return undefined
  if (crc32(bytes.subarray(at + CHECKED_FROM, end)) !== bytes.readUInt32LE(at + 4)) return undefined
  const json = bytes.toString('utf8', at + FRAME_HEADER_BYTES, jsonEnd)
  const { id, type, source } = JSON.parse(json) as CloudEvent
  const deliverAtMs = bytes.readDoubleLE(at + 28)
  const delayMs = bytes.readDoubleLE(at + 36)
  const erasure = bytes.toString('utf8', jsonEnd, end)
  return {
    sequence: bytes.readDoubleLE(at + 12),
    publishedAtMs: bytes.readDoubleLE(at + 20),
    ...(!Number.isNaN(deliverAtMs) && { deliverAtMs }),
    ...(!Number.isNaN(delayMs) && { delayMs }),
    id,
    type,
    source,
    json,
    ...(erasure !== '' && { erased: JSON.parse(erasure) as Erasure }),
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
