import { z } from 'zod'
import { LogStore } from '../log/log-store.js'
import { parseOptions } from '../parse-options.js'
import { type RetentionOptions, retentionSchema } from '../retention/retention-options.js'
import type { EventStore } from '../store/event-store.js'
import { MemoryEngine } from './memory-engine.js'

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /** What to keep. @default everything */
  retention?: RetentionOptions | undefined
}

const memoryStoreSchema = z.strictObject({
  retention: retentionSchema,
}) satisfies z.ZodType<{ retention: RetentionOptions }, MemoryStoreOptions>

/**
 * Keeps events in this process's memory: for tests, and for events that may go with the process.
 *
 * @example
 * ```ts
 * const bus = await EventBus.open({ store: memoryStore({ retention: { maxEvents: 1_000 } }) })
 * ```
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function memoryStore(options: MemoryStoreOptions = {}): EventStore {
  const { retention } = parseOptions(memoryStoreSchema, options, 'memoryStore')
  return new LogStore({
    openEngine: async () => new MemoryEngine(),
    durability: 'memory',
    durable: false,
    retention,
  })
}
