import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { LOG_FILE } from './engine/lmdb-engine.js'

/** Lets only the owner read a store's directory and files, also those that existed before with wider rights. */
export function makePrivate(directory: string): void {
  chmodSync(directory, 0o700)
  for (const name of [LOG_FILE, `${LOG_FILE}-lock`, 'running', 'writer.lock', 'data-keys']) {
    const file = join(directory, name)
    if (existsSync(file)) chmodSync(file, 0o600)
  }
}
