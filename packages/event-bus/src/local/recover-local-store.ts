import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { EventBusError } from '../errors.js'
import { LogDraft } from '../log/log-draft.js'
import { EMPTY_HEAD, type LogHead, type LogRecord } from '../log/log-engine.js'
import { checkLogFile } from './check-file.js'
import { lockDirectory } from './directory-lock.js'
import { LmdbEngine, LOG_FILE } from './lmdb-engine.js'
import { decodeFrame, FRAME_HEADER_BYTES, FRAME_MAGIC } from './record-frame.js'

/** What lies in a store's directory, read without trusting its database. */
export interface LocalStoreInspection {
  /** Undefined when the file's structure is whole; otherwise what is wrong with it. */
  problem: string | undefined
  /** Events whose bytes are intact and can be recovered. */
  recoverableEvents: number
  fileBytes: number
}

/** What `recoverLocalStore` saved. */
export interface LocalStoreRecovery {
  events: number
  /** RFC 3339 times of storing of the first and last event. */
  oldest: string | undefined
  newest: string | undefined
}

const WINDOW_BYTES = 16 * 1024 * 1024
const EVENTS_PER_COMMIT = 1_000

/** Says whether a store is whole and how many of its events could be recovered; changes nothing. */
export function inspectLocalStore(path: string): LocalStoreInspection {
  const file = join(path, LOG_FILE)
  let problem: string | undefined
  try {
    checkLogFile(file)
  } catch (error) {
    problem = (error as Error).message
  }
  const scan = scanFrames(file)
  try {
    return { problem, recoverableEvents: scan.found.length, fileBytes: scan.bytes }
  } finally {
    scan.close()
  }
}

/**
 * Copies every intact event of a damaged store into a new one, in order and with its time of storing.
 * Consumer groups begin anew: give their first subscription a `start`. An event that retention removed
 * may come back when its bytes were not yet overwritten.
 *
 * @throws EventBusError `INVALID_OPTIONS` when `to` already holds a store
 */
export async function recoverLocalStore(options: {
  from: string
  to: string
}): Promise<LocalStoreRecovery> {
  const { from, to } = options
  if (existsSync(join(to, LOG_FILE))) {
    throw new EventBusError(
      'INVALID_OPTIONS',
      `to: expected a directory without a store, got ${to}; choose a new one`,
      { details: { to } },
    )
  }
  mkdirSync(to, { recursive: true })
  const scan = scanFrames(join(from, LOG_FILE))
  const engine = new LmdbEngine(
    { path: to, readOnly: false, durability: 'disk' },
    lockDirectory(to),
  )
  let head: LogHead = EMPTY_HEAD
  let oldest: number | undefined
  try {
    for (let at = 0; at < scan.found.length; at += EVENTS_PER_COMMIT) {
      const draft = new LogDraft(engine, head, 0)
      for (const { offset } of scan.found.slice(at, at + EVENTS_PER_COMMIT)) {
        const record = scan.read(offset)
        if (record === undefined) continue
        oldest ??= record.publishedAtMs
        const { json, publishedAtMs, deliverAtMs } = record
        const request = { json, event: JSON.parse(json), ...(deliverAtMs && { deliverAtMs }) }
        draft.append(request, publishedAtMs)
        if (record.erased !== undefined) draft.records.at(-1)!.erased = record.erased
      }
      await engine.commit(draft.finish())
      head = draft.head
    }
  } finally {
    scan.close()
    await engine.close()
  }
  return {
    events: head.last,
    oldest: oldest === undefined ? undefined : new Date(oldest).toISOString(),
    newest: head.last === 0 ? undefined : new Date(head.publishedAtMs).toISOString(),
  }
}

/** Finds intact frames wherever they lie; a page that was copied on write has the same event twice. */
function scanFrames(path: string) {
  const file = openSync(path, 'r')
  const bytes = fstatSync(file).size
  const offsets = new Map<number, number>()
  const erased = new Set<number>()
  let position = 0
  while (position < bytes) {
    const window = readAt(file, position, WINDOW_BYTES, bytes)
    let at = window.indexOf(FRAME_MAGIC)
    while (at >= 0) {
      const record = readFrame(file, position + at, bytes)
      if (record !== undefined && !erased.has(record.sequence)) {
        offsets.set(record.sequence, position + at)
        // An older page may still have the event as it was before.
        if (record.erased !== undefined) erased.add(record.sequence)
      }
      at = window.indexOf(FRAME_MAGIC, at + 1)
    }
    // A magic that straddles two windows is found in the second.
    position += Math.max(1, window.length - FRAME_MAGIC.length + 1)
  }
  return {
    bytes,
    found: [...offsets].map(([sequence, offset]) => ({ sequence, offset })).sort(bySequence),
    read: (offset: number) => readFrame(file, offset, bytes),
    close: () => closeSync(file),
  }
}

function bySequence(a: { sequence: number }, b: { sequence: number }): number {
  return a.sequence - b.sequence
}

function readFrame(file: number, offset: number, fileBytes: number): LogRecord | undefined {
  const header = readAt(file, offset, FRAME_HEADER_BYTES, fileBytes)
  if (header.length < FRAME_HEADER_BYTES) return undefined
  const length = FRAME_HEADER_BYTES + header.readUInt32LE(8) + header.readUInt32LE(44)
  return offset + length > fileBytes
    ? undefined
    : decodeFrame(readAt(file, offset, length, fileBytes))
}

function readAt(file: number, position: number, length: number, fileBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, fileBytes - position)))
  let read = 0
  while (read < buffer.length) {
    const got = readSync(file, buffer, read, buffer.length - read, position + read)
    if (got === 0) return buffer.subarray(0, read)
    read += got
  }
  return buffer
}
