import { z } from 'zod'
import type { RetentionOptions } from './retention.js'

export const retentionSchema = z
  .strictObject({
    maxAgeMs: z.number().positive().optional(),
    maxEvents: z.int().min(1).optional(),
    maxBytes: z.int().min(1).optional(),
  })
  .default({}) satisfies z.ZodType<RetentionOptions, RetentionOptions | undefined>
