import { z } from 'zod'
import type { Durability } from '../event-store.js'
import type { RetentionOptions } from '../log/retention.js'
import { retentionSchema } from '../log/retention-options.js'

/** Options of `localStore`. */
export interface LocalStoreOptions {
  /** Directory of the log; made when it does not exist. */
  path: string
  /** What a publish waits for that asks for nothing else. @default 'disk' */
  durability?: Durability | undefined
  /** Only list and get, while another process writes. @default false */
  readOnly?: boolean | undefined
  /** What to keep. @default everything */
  retention?: RetentionOptions | undefined
}

interface Resolved {
  path: string
  durability: Durability
  readOnly: boolean
  retention: RetentionOptions
}

export const localStoreSchema = z.strictObject({
  path: z.string().min(1),
  durability: z.enum(['memory', 'os', 'disk']).default('disk'),
  readOnly: z.boolean().default(false),
  retention: retentionSchema,
}) satisfies z.ZodType<Resolved, LocalStoreOptions>
