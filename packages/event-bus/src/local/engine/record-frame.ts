import { crc32 } from 'node:zlib'
import { EventBusError } from '../../errors.js'
import type { CloudEvent } from '../../event/cloud-event.js'
import type { LogRecord } from '../../log/log-engine.js'
import type { Erasure } from '../../store/stored-event.js'
import { type DataCipher, isSealed } from '../encryption/data-cipher.js'

/**
 * How an event lies in the file, little endian: `NXE1`, CRC-32 of what follows the length, length of the
 * JSON, then sequence, time of storing, time of delivery and its delay (NaN for none) as doubles, length of the
 * erasure's JSON (0 for none), then the event's JSON, encrypted where the store has a key, and that of its erasure.
 * It can be found and checked without the database's pages, so events can be recovered from a file whose
 * index is gone.
 */
export const FRAME_MAGIC = Buffer.from('NXE1')
export const FRAME_HEADER_BYTES = 48
const CHECKED_FROM = 12

/** Writes a record as it lies in the file. */
export function encodeFrame(record: LogRecord, cipher?: DataCipher): Buffer {
  const body =
    cipher === undefined ? Buffer.from(record.json) : cipher.seal(record.json, placeOf(record))
  const bytes = body.length
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
  body.copy(frame, FRAME_HEADER_BYTES)
  frame.write(erasure, FRAME_HEADER_BYTES + bytes)
  frame.writeUInt32LE(crc32(frame.subarray(CHECKED_FROM)), 4)
  return frame
}

/** A frame whose checksum is right; the event may still be encrypted. */
export interface IntactFrame extends Omit<LogRecord, 'id' | 'type' | 'source' | 'json'> {
  body: Buffer
}

/** Reads the frame that starts at `at`; undefined when the bytes are not an intact one. */
export function readIntactFrame(bytes: Buffer, at = 0): IntactFrame | undefined {
  if (bytes.length - at < FRAME_HEADER_BYTES) return undefined
  if (bytes.compare(FRAME_MAGIC, 0, 4, at, at + 4) !== 0) return undefined
  const bodyEnd = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8)
  const end = bodyEnd + bytes.readUInt32LE(at + 44)
  if (end > bytes.length) return undefined
  if (crc32(bytes.subarray(at + CHECKED_FROM, end)) !== bytes.readUInt32LE(at + 4)) return undefined
  const deliverAtMs = bytes.readDoubleLE(at + 28)
  const delayMs = bytes.readDoubleLE(at + 36)
  const erasure = bytes.toString('utf8', bodyEnd, end)
  return {
    sequence: bytes.readDoubleLE(at + 12),
    publishedAtMs: bytes.readDoubleLE(at + 20),
    ...(!Number.isNaN(deliverAtMs) && { deliverAtMs }),
    ...(!Number.isNaN(delayMs) && { delayMs }),
    ...(erasure !== '' && { erased: JSON.parse(erasure) as Erasure }),
    body: bytes.subarray(at + FRAME_HEADER_BYTES, bodyEnd),
  }
}

/** The record of a frame; undefined when the bytes are not an intact one, or no key opens it. */
export function decodeFrame(bytes: Buffer, cipher?: DataCipher): LogRecord | undefined {
  const frame = readIntactFrame(bytes)
  if (frame === undefined) return undefined
  const { body, ...rest } = frame
  const json = isSealed(body) ? cipher?.open(body, placeOf(frame)) : body.toString('utf8')
  if (json === undefined) return undefined
  const { id, type, source } = JSON.parse(json) as CloudEvent
  return { ...rest, id, type, source, json }
}

function placeOf({ sequence }: { sequence: number }): string {
  return `event ${sequence}`
}

/** The error for an event whose bytes do not match their checksum. */
export function damagedRecord(sequence: number, path: string): EventBusError {
  return new EventBusError(
    'STORE_CORRUPT',
    `event at sequence ${sequence}: its bytes in ${path} do not match their checksum; close the bus and recover the intact events with recoverLocalStore`,
    { details: { sequence, path } },
  )
}
