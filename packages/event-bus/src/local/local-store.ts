import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { LogStore } from '../log/log-store.js'
import { parseOptions } from '../parse-options.js'
import type { EventStore } from '../store/event-store.js'
import { isDirectoryLocked, lockDirectory } from './directory-lock.js'
import { LmdbEngine, LOG_FILE } from './engine/lmdb-engine.js'
import { type LocalStoreOptions, localStoreSchema } from './local-store-options.js'
import { makePrivate } from './make-private.js'
import { checkBounds, checkLogFile } from './repair/check-file.js'

/**
 * Keeps events in an LMDB log in a directory of this machine. One process writes; others may open it
 * with `readOnly` meanwhile.
 *
 * @example
 * ```ts
 * const bus = await EventBus.open({
 *   store: localStore({ path: './data', durability: 'disk', retention: { maxAgeMs: 30 * 86_400_000 } }),
 * })
 * ```
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function localStore(options: LocalStoreOptions): EventStore {
  const resolved = parseOptions(localStoreSchema, options, 'localStore')
  const { path, durability, readOnly, retention } = resolved
  return new LogStore({
    durability,
    durable: true,
    retention,
    async openEngine() {
      const file = join(path, LOG_FILE)
      if (readOnly) {
        // A process that writes has checked the log, and changes it meanwhile.
        if (isDirectoryLocked(path)) checkBounds(file)
        else await checkLogFile(file)
        return new LmdbEngine(resolved, () => {})
      }
      mkdirSync(path, { recursive: true, mode: 0o700 })
      const release = lockDirectory(path)
      try {
        await checkLogFile(file)
        const engine = new LmdbEngine(resolved, release)
        makePrivate(path)
        return engine
      } catch (error) {
        release()
        throw error
      }
    },
  })
}
