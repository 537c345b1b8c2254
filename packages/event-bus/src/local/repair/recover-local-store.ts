import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import * as lmdb from 'lmdb'
import { z } from 'zod'
import { EventBusError } from '../../errors.js'
import { Transaction } from '../../log/commit/transaction.js'
import { EMPTY_HEAD, type LogHead } from '../../log/log-engine.js'
import { parseOptions } from '../../parse-options.js'
import { lockDirectory } from '../directory-lock.js'
import {
  DataCipher,
  type DataKeyOptions,
  dataKeySchema,
  isSealed,
  keyIdOf,
} from '../encryption/data-cipher.js'
import { assertKeys } from '../encryption/data-key-file.js'
import { isIntactEntry } from '../engine/entry-frame.js'
import { LmdbEngine, LOG_FILE } from '../engine/lmdb-engine.js'
import {
  decodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  readIntactFrame,
} from '../engine/record-frame.js'
import { makePrivate } from '../make-private.js'
import { syncDirectory, syncFile } from '../sync-directory.js'
import { checkLogFile } from './check-file.js'

/** What lies in a store's directory, read without trusting its database. */
export interface LocalStoreInspection {
  /** The first thing that is wrong with the file or with what its entries say; undefined when it is whole. */
  problem: string | undefined
  /** Events whose bytes are intact and can be recovered. */
  recoverableEvents: number
  /** Size of the file. */
  fileBytes: number
}

/** Options of `recoverLocalStore`. */
export interface LocalStoreRecoveryOptions {
  /** Directory of the damaged store, which is only read. */
  from: string
  /** Directory of the new store. */
  to: string
  /** Keys of the damaged store; the new one is encrypted with the current key. @default not encrypted */
  dataKey?: DataKeyOptions | undefined
}

const recoverySchema = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  dataKey: dataKeySchema.optional(),
}) satisfies z.ZodType<LocalStoreRecoveryOptions, LocalStoreRecoveryOptions>

/** What `recoverLocalStore` saved. */
export interface LocalStoreRecovery {
  /** Events in the new store. */
  events: number
  /** RFC 3339 times of storing of the first and last event. */
  oldest: string | undefined
  /** RFC 3339 time at which the last event was stored. */
  newest: string | undefined
}

const WINDOW_BYTES = 16 * 1024 * 1024
const EVENTS_PER_COMMIT = 1_000

/**
 * Says whether the file of a closed store is whole and how many of its events could be recovered; reads all of it and changes
 * nothing.
 */
export async function inspectLocalStore(path: string): Promise<LocalStoreInspection> {
  const file = join(path, LOG_FILE)
  let problem: string | undefined
  try {
    await checkLogFile(file, { checkEntry })
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
 * Consumer groups are not copied: give their first subscription a `start`. An event that retention removed
 * may come back when its bytes were not yet overwritten. With `dataKey` the new store is encrypted with the current
 * key: this is also the way to encrypt a store that was not, and to drop old keys.
 *
 * @example
 * ```ts
 * const { problem, recoverableEvents } = await inspectLocalStore('./data')
 * if (problem !== undefined) await recoverLocalStore({ from: './data', to: './recovered' })
 * ```
 * @throws EventBusError `INVALID_OPTIONS` when `to` already holds a store, or a key is missing
 */
export async function recoverLocalStore(
  options: LocalStoreRecoveryOptions,
): Promise<LocalStoreRecovery> {
  const { from, to, dataKey } = parseOptions(recoverySchema, options, 'recoverLocalStore')
  if (existsSync(join(to, LOG_FILE))) {
    throw new EventBusError(
      'INVALID_OPTIONS',
      `to: expected a directory without a store, got ${to}; choose a new one`,
      { details: { to } },
    )
  }
  const cipher = dataKey === undefined ? undefined : new DataCipher(dataKey)
  const scan = scanFrames(join(from, LOG_FILE), cipher)
  try {
    assertKeys(from, scan.keyIds, cipher)
    mkdirSync(to, { recursive: true, mode: 0o700 })
    return await copyEvents(scan, to, dataKey)
  } finally {
    scan.close()
  }
}

async function copyEvents(
  scan: ReturnType<typeof scanFrames>,
  to: string,
  dataKey: DataKeyOptions | undefined,
): Promise<LocalStoreRecovery> {
  const engine = new LmdbEngine(
    {
      path: to,
      readOnly: false,
      durability: 'disk',
      dataKey: dataKey && { current: dataKey.current },
    },
    lockDirectory(to),
  )
  let head: LogHead = EMPTY_HEAD
  let oldest: number | undefined
  try {
    for (let at = 0; at < scan.found.length; at += EVENTS_PER_COMMIT) {
      const transaction = new Transaction(engine, head, 0)
      for (const { offset } of scan.found.slice(at, at + EVENTS_PER_COMMIT)) {
        const record = scan.read(offset)
        if (record === undefined) continue
        oldest ??= record.publishedAtMs
        const { json, publishedAtMs, deliverAtMs } = record
        const request = { json, event: JSON.parse(json), ...(deliverAtMs && { deliverAtMs }) }
        transaction.append(request, publishedAtMs)
        if (record.erased !== undefined) transaction.records.at(-1)!.erased = record.erased
      }
      await engine.commit(transaction.finish())
      head = transaction.head
    }
  } finally {
    await engine.close()
  }
  makePrivate(to)
  syncFile(join(to, LOG_FILE))
  syncDirectory(to)
  return {
    events: head.last,
    oldest: oldest === undefined ? undefined : new Date(oldest).toISOString(),
    newest: head.last === 0 ? undefined : new Date(head.publishedAtMs).toISOString(),
  }
}

/** What is wrong with an entry of a table; no key is needed to see it. */
function checkEntry(table: string, keyBytes: Buffer, data: Buffer): string | undefined {
  const key = readKey(keyBytes)
  if (table === 'events') {
    const frame = readIntactFrame(data)
    return frame?.sequence === key ? undefined : 'the bytes of an event do not match their checksum'
  }
  return isIntactEntry(table, key, data)
    ? undefined
    : 'the bytes of an entry do not match their checksum'
}

/** Lmdb's types leave this out. */
const { bufferToKeyValue } = lmdb as unknown as { bufferToKeyValue(bytes: Buffer): unknown }

function readKey(bytes: Buffer): unknown {
  try {
    return bufferToKeyValue(bytes)
  } catch {
    return undefined
  }
}

/** Finds intact frames wherever they lie; a page that was copied on write has the same event twice. */
function scanFrames(path: string, cipher?: DataCipher) {
  const file = openSync(path, 'r')
  const bytes = fstatSync(file).size
  const offsets = new Map<number, number>()
  const erased = new Set<number>()
  const keyIds = new Set<string>()
  let position = 0
  while (position < bytes) {
    const window = readAt(file, position, WINDOW_BYTES, bytes)
    let at = window.indexOf(FRAME_MAGIC)
    while (at >= 0) {
      const frame = readIntactFrame(readFrame(file, position + at, bytes))
      if (frame !== undefined && !erased.has(frame.sequence)) {
        offsets.set(frame.sequence, position + at)
        // An older page may still have the event as it was before.
        if (frame.erased !== undefined) erased.add(frame.sequence)
        if (isSealed(frame.body)) keyIds.add(keyIdOf(frame.body))
      }
      at = window.indexOf(FRAME_MAGIC, at + 1)
    }
    // A magic that straddles two windows is found in the second.
    position += Math.max(1, window.length - FRAME_MAGIC.length + 1)
  }
  return {
    bytes,
    found: [...offsets].map(([sequence, offset]) => ({ sequence, offset })).sort(bySequence),
    /** Ids of the keys that events were encrypted with. */
    keyIds,
    read: (offset: number) => decodeFrame(readFrame(file, offset, bytes), cipher),
    close: () => closeSync(file),
  }
}

function bySequence(a: { sequence: number }, b: { sequence: number }): number {
  return a.sequence - b.sequence
}

/** The bytes of the frame at `offset`; cut short when it would end after the file. */
function readFrame(file: number, offset: number, fileBytes: number): Buffer {
  const header = readAt(file, offset, FRAME_HEADER_BYTES, fileBytes)
  if (header.length < FRAME_HEADER_BYTES) return header
  const length = FRAME_HEADER_BYTES + header.readUInt32LE(8) + header.readUInt32LE(44)
  return offset + length > fileBytes ? header : readAt(file, offset, length, fileBytes)
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
