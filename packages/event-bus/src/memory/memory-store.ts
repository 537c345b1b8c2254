import type { EventStore } from '../event-store.js'
import { LogStore } from '../log/log-store.js'
import { MemoryEngine } from './memory-engine.js'

/** Keeps events in this process's memory: for tests, and for events that may go with the process. */
export function memoryStore(): EventStore {
  return new LogStore({
    openEngine: async () => new MemoryEngine(),
    durability: 'memory',
    durable: false,
  })
}
