import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EventBusError } from '../../errors.js'
import { checkPages, type LogMeta, type PageCheckOptions } from './check-pages.js'
import { readTree } from './page-format.js'

// LMDB's meta page, as lmdb 3.5 writes it: a page header of 24 bytes, then this, little endian.
const MAGIC = 0xbeefc0de
const MAGIC_AT = 24
const PAGE_SIZE_AT = 48
const FREE_AT = 48
const MAIN_AT = 96
const LAST_PAGE_AT = 144
const TXN_AT = 152
const META_BYTES = 160

/**
 * Refuses a log file that lost its beginning, its end or a page before the database maps it: reading a page that
 * is not there, or is not what it should be, can end the process.
 *
 * @throws EventBusError `STORE_CORRUPT`; the file is left as it is
 */
export async function checkLogFile(path: string, options: PageCheckOptions = {}): Promise<void> {
  const newest = checkBounds(path)
  if (newest === undefined) return
  const problem = await checkPages(path, newest, options)
  if (problem === undefined) return
  // A process that began to write meanwhile uses pages again, and checks the log itself.
  if (checkBounds(path)?.transaction === newest.transaction) throw corrupt(path, problem)
}

/** Reads what a log's first pages say, and that all of its pages are there; undefined where there is no log. */
export function checkBounds(path: string): LogMeta | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    // An empty file is a log that was never written to, unless a process handled events of it.
    if (size === 0) {
      if (!wasUsed(path)) return undefined
      throw corrupt(path, 'it is empty, but a process handled events of it', { size })
    }
    const first = readMeta(file, 0)
    const second = first === undefined ? undefined : readMeta(file, first.pageSize)
    if (first === undefined || second === undefined) {
      throw corrupt(path, 'its first pages are not those of a log', { size })
    }
    const newest = second.transaction > first.transaction ? second : first
    const expected = (newest.lastPage + 1) * newest.pageSize
    if (size < expected) {
      throw corrupt(path, `it was cut: expected at least ${expected} bytes, got ${size}`, {
        size,
        expected,
      })
    }
    return newest
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
  const pageSize = bytes.readUInt32LE(PAGE_SIZE_AT)
  // A power of two from 512 to 64 KB.
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return undefined
  return {
    pageSize,
    free: readTree(bytes, FREE_AT),
    main: readTree(bytes, MAIN_AT),
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    transaction: Number(bytes.readBigUInt64LE(TXN_AT)),
  }
}

function corrupt(path: string, what: string, details: Record<string, unknown> = {}): EventBusError {
  return new EventBusError(
    'STORE_CORRUPT',
    `${path}: ${what}; nothing was changed. See what is left with inspectLocalStore, and copy it to a new directory with recoverLocalStore`,
    { details: { path, ...details } },
  )
}
