import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { EventBusError } from '../../errors.js'
import { syncDirectory } from '../sync-directory.js'
import type { DataCipher } from './data-cipher.js'

const FILE = 'data-keys'
const LINE = /^[0-9a-f]{16}$/

/**
 * Refuses to work on a store with keys that cannot read it. The ids of the keys that a store was written with are in the
 * file `data-keys`, one a line.
 *
 * @throws EventBusError `INVALID_OPTIONS` when a key is missing, `STORE_CORRUPT` when the file is damaged
 */
export function checkDataKeys(
  directory: string,
  cipher: DataCipher | undefined,
  readOnly: boolean,
): void {
  const known = readIds(directory)
  assertKeys(directory, known, cipher)
  if (cipher === undefined || readOnly || known.includes(cipher.currentId)) return
  writeIds(directory, [...known, cipher.currentId])
}

/** @throws EventBusError `INVALID_OPTIONS` unless every key is there */
export function assertKeys(
  directory: string,
  ids: Iterable<string>,
  cipher: DataCipher | undefined,
): void {
  const missing = [...ids].filter((id) => cipher?.has(id) !== true)
  if (missing.length === 0) return
  throw new EventBusError(
    'INVALID_OPTIONS',
    `dataKey: expected the keys that ${directory} was encrypted with, got ${cipher === undefined ? 'none' : 'others'}; missing: ${missing.join(', ')}. Give the newest key as dataKey.current and all older ones as dataKey.previous`,
    { details: { path: directory, missing } },
  )
}

function readIds(directory: string): string[] {
  const path = join(directory, FILE)
  if (!existsSync(path)) return []
  const ids = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  if (ids.length > 0 && ids.every((id) => LINE.test(id))) return ids
  throw new EventBusError(
    'STORE_CORRUPT',
    `${path}: expected ids of keys, one a line; restore the file, or copy the events to a new directory with recoverLocalStore`,
    { details: { path } },
  )
}

function writeIds(directory: string, ids: readonly string[]): void {
  const path = join(directory, FILE)
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, `${ids.join('\n')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  syncDirectory(directory)
}
