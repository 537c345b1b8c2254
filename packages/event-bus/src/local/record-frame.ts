import { crc32 } from 'node:zlib'
import { EventBusError } from '../errors.js'
import type { LogRecord } from '../log/log-engine.js'

/**
 * How an event lies in the file: `NXE1`, CRC-32 of the body, length of the body, then the body, which is
 * a line of JSON about the event and the event's own JSON text. It can be found and checked without the
 * database's pages, so events can be recovered from a file whose index is gone.
 */
export const FRAME_MAGIC = 0x3145584e
/** Magic, checksum and length, 4 bytes each, little endian. */
export const FRAME_HEADER_BYTES = 12

interface FrameLine {
  s: number
  p: number
  d?: number
  id: string
  t: string
  f: string
}

/** Writes a record as it lies in the file. */
export function encodeFrame(record: LogRecord): Buffer {
  const line: FrameLine = {
    s: record.sequence,
    p: record.publishedAtMs,
    id: record.id,
    t: record.type,
    f: record.source,
  }
  if (record.deliverAtMs !== undefined) line.d = record.deliverAtMs
  const body = `${JSON.stringify(line)}\n${record.json}`
  const bytes = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bytes)
  frame.writeUInt32LE(FRAME_MAGIC, 0)
  frame.writeUInt32LE(bytes, 8)
  frame.write(body, FRAME_HEADER_BYTES)
  frame.writeUInt32LE(crc32(frame.subarray(FRAME_HEADER_BYTES)), 4)
  return frame
}

/** Reads a record; undefined when the bytes are not an intact frame. */
export function decodeFrame(frame: Buffer): LogRecord | undefined {
  if (frame.length < FRAME_HEADER_BYTES || frame.readUInt32LE(0) !== FRAME_MAGIC) return undefined
  const end = FRAME_HEADER_BYTES + frame.readUInt32LE(8)
  if (end > frame.length) return undefined
  const body = frame.subarray(FRAME_HEADER_BYTES, end)
  if (crc32(body) !== frame.readUInt32LE(4)) return undefined
  const newline = body.indexOf(10)
  const line = JSON.parse(body.toString('utf8', 0, newline)) as FrameLine
  return {
    sequence: line.s,
    publishedAtMs: line.p,
    ...(line.d !== undefined && { deliverAtMs: line.d }),
    id: line.id,
    type: line.t,
    source: line.f,
    json: body.toString('utf8', newline + 1),
  }
}

/** The error for an event whose bytes do not match their checksum. */
export function damagedRecord(sequence: number, path: string): EventBusError {
  return new EventBusError(
    'STORE_CORRUPT',
    `event at sequence ${sequence}: its bytes in ${path} do not match their checksum; recover the intact events with recoverLocalStore`,
    { details: { sequence, path } },
  )
}
