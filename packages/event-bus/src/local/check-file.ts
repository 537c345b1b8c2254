import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EventBusError } from '../errors.js'
import { checkPages, type LogMeta } from './check-pages.js'

// LMDB's meta page, as lmdb 3.5 writes it: a page header of 24 bytes, then this, little endian.
const MAGIC = 0xbeefc0de
const MAGIC_AT = 24
const PAGE_SIZE_AT = 48
/** Roots of the list of free pages and of the tables. */
const ROOTS_AT = [88, 136] as const
const LAST_PAGE_AT = 144
const TXN_AT = 152
const META_BYTES = 160

/** Larger logs are not read in full whenever they are opened; `inspectLocalStore` always does. */
const CHECKED_AT_OPEN_BYTES = 64 * 1024 * 1024

/**
 * Refuses a log file that lost its beginning, its end or a page before the database maps it: reading a page that
 * is not there, or is not what it should be, can end the process. Each page is checked in logs of up
 * to 64 MB, or in all of them; none while another process may be writing.
 *
 * @throws EventBusError `STORE_CORRUPT`; the file is left as it is
 */
export function checkLogFile(
  path: string,
  pages: 'all' | 'small logs' | 'none' = 'small logs',
): void {
  if (!existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    // An empty file is a log that was never written to, unless a process handled events of it.
    if (size === 0) {
      if (!wasUsed(path)) return
      throw corrupt(path, 'it is empty, but a process handled events of it', { size })
    }
    const first = readMeta(file, 0)
    const second = first === undefined ? undefined : readMeta(file, first.pageSize)
    if (first === undefined || second === undefined) {
      throw corrupt(path, 'its first pages are not those of a log', { size })
    }
    const newest = second.txn > first.txn ? second : first
    const expected = (newest.lastPage + 1) * newest.pageSize
    if (size < expected) {
      throw corrupt(path, `it was cut: expected at least ${expected} bytes, got ${size}`, {
        size,
        expected,
      })
    }
    if (pages === 'none' || (pages !== 'all' && size > CHECKED_AT_OPEN_BYTES)) return
    const problem = checkPages(path, newest)
    if (problem !== undefined) throw corrupt(path, problem, { size })
  } finally {
    closeSync(file)
  }
}

function wasUsed(path: string): boolean {
  const running = join(dirname(path), 'running')
  return existsSync(running) && statSync(running).size > 0
}

function readMeta(file: number, at: number): LogMeta | undefined {
  const bytes = Buffer.alloc(META_BYTES)
  if (readSync(file, bytes, 0, META_BYTES, at) < META_BYTES) return undefined
  if (bytes.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined
  return {
    pageSize: bytes.readUInt32LE(PAGE_SIZE_AT),
    roots: ROOTS_AT.map((at) => bytes.readBigUInt64LE(at)),
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    txn: Number(bytes.readBigUInt64LE(TXN_AT)),
  }
}

function corrupt(path: string, what: string, details: Record<string, unknown>): EventBusError {
  return new EventBusError(
    'STORE_CORRUPT',
    `${path}: ${what}; nothing was changed. See what is left with inspectLocalStore, and copy it to a new directory with recoverLocalStore`,
    { details: { path, ...details } },
  )
}
