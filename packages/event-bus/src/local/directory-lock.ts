/// <reference path="./fs-native-extensions.d.ts" />
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { EventBusError } from '../errors.js'

/**
 * Makes this process the one that writes to a store's directory. The kernel holds the lock, so it goes
 * with the process, however that ends.
 *
 * @throws EventBusError `STORE_LOCKED` when another process, or another bus of this one, writes there
 */
export function lockDirectory(directory: string): () => void {
  const descriptor = openSync(join(directory, 'writer.lock'), 'a+')
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
