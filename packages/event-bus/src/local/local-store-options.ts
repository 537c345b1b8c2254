import { z } from 'zod'
import { type RetentionOptions, retentionSchema } from '../retention/retention-options.js'
import type { Durability } from '../store/event-store.js'

/** Options of `localStore`. */
export interface LocalStoreOptions {
  /** Directory of the log; made when it does not exist. */
  path: string
  /**
   * What every commit waits for: `disk` survives a power cut, `os` the process, and the log stays whole
   * after either. A publish may ask for `disk` on its own. @default 'disk'
   */
  durability?: Exclude<Durability, 'memory'> | undefined
  /** Only list and get, while another process writes. @default false */
  readOnly?: boolean | undefined
  /** What to keep. @default everything */
  retention?: RetentionOptions | undefined
}

/** `LocalStoreOptions` with every default filled in. */
export interface ResolvedLocalStoreOptions {
  path: string
  durability: Exclude<Durability, 'memory'>
  readOnly: boolean
  retention: RetentionOptions
}

export const localStoreSchema = z.strictObject({
  path: z.string().min(1),
  durability: z.enum(['os', 'disk']).default('disk'),
  readOnly: z.boolean().default(false),
  retention: retentionSchema,
}) satisfies z.ZodType<ResolvedLocalStoreOptions, LocalStoreOptions>
