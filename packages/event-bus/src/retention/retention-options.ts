import { z } from 'zod'

/** What to keep; everything, unless something is said here. */
export interface RetentionOptions {
  /** Events stored longer ago than this are removed. @default no limit */
  maxAgeMs?: number | undefined
  /** The newest so many are kept. @default no limit */
  maxEvents?: number | undefined
  /** So many bytes of events are kept, the newest. @default no limit */
  maxBytes?: number | undefined
}

/** Checks `RetentionOptions`. */
export const retentionSchema = z
  .strictObject({
    maxAgeMs: z.number().positive().optional(),
    maxEvents: z.int().min(1).optional(),
    maxBytes: z.int().min(1).optional(),
  })
  .default({}) satisfies z.ZodType<RetentionOptions, RetentionOptions | undefined>
