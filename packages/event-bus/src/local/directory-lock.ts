/// <reference path="./fs-native-extensions.d.ts" />
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { EventBusError } from '../errors.js'

const FILE = 'writer.lock'

/**
 * Makes this process the one that writes to a store's directory. The kernel holds the lock, so it goes
 * with the process, however that ends.
 *
 * @throws EventBusError `STORE_LOCKED` when another process, or another bus of this one, writes there
 */
export function lockDirectory(directory: string): () => void {
  const descriptor = openSync(join(directory, FILE), 'a+')
  if (!tryLock(descriptor)) {
    closeSync(descriptor)
    throw new EventBusError(
      'STORE_LOCKED',
      `${directory}: expected to be the only writer, but another process has the store open; stop it, use another directory, or open with readOnly to list and get`,
      { details: { path: directory } },
    )
  }
  return () => closeSync(descriptor)
}

/** Whether a process writes to a store's directory. */
export function isDirectoryLocked(directory: string): boolean {
  const path = join(directory, FILE)
  if (!existsSync(path)) return false
  const descriptor = openSync(path, 'r')
  try {
    return !tryLock(descriptor, { shared: true })
  } finally {
    closeSync(descriptor)
  }
}
