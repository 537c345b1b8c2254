import { z } from 'zod'
import { type RetentionOptions, retentionSchema } from '../retention/retention-options.js'
import type { Durability } from '../store/stored-event.js'
import { type DataKeyOptions, dataKeySchema } from './encryption/data-cipher.js'

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
  /**
   * Encrypts events, and the records and errors of their deliveries, with AES-256-GCM. Ids, types, sources, times, names
   * and patterns of groups and the reasons of erasures are not encrypted. To rotate, make a new key the current one and
   * keep the old ones in `previous`. @default not encrypted
   */
  dataKey?: DataKeyOptions | undefined
}

/** `LocalStoreOptions` with every default filled in. */
export interface ResolvedLocalStoreOptions {
  path: string
  durability: Exclude<Durability, 'memory'>
  readOnly: boolean
  retention: RetentionOptions
  dataKey?: DataKeyOptions | undefined
}

export const localStoreSchema = z.strictObject({
  path: z.string().min(1),
  durability: z.enum(['os', 'disk']).default('disk'),
  readOnly: z.boolean().default(false),
  retention: retentionSchema,
  dataKey: dataKeySchema.optional(),
}) satisfies z.ZodType<ResolvedLocalStoreOptions, LocalStoreOptions>
