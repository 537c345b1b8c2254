import { mkdirSync } from 'node:fs'
import { LogStore } from '../log/log-store.js'
import { parseOptions } from '../parse-options.js'
import type { EventStore } from '../store/event-store.js'
import { lockDirectory } from './directory-lock.js'
import { LmdbEngine } from './lmdb-engine.js'
import { type LocalStoreOptions, localStoreSchema } from './local-store-options.js'

/**
 * Keeps events in an LMDB log in a directory of this machine. One process writes; others may open it
 * with `readOnly` meanwhile.
 *
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
      if (readOnly) return new LmdbEngine(resolved, () => {})
      mkdirSync(path, { recursive: true })
      const release = lockDirectory(path)
      try {
        return new LmdbEngine(resolved, release)
      } catch (error) {
        release()
        throw error
      }
    },
  })
}
