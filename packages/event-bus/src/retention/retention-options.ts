import { z } from 'zod'

/** What to keep; everything, unless something is said here. */
export interface RetentionOptions {
  /** Events stored longer ago than this are removed. @default no limit */
  maxAgeMs?: number | undefined
  /** Keep at most this many events; the oldest are removed. @default no limit */
  maxEvents?: number | undefined
  /** Keep at most this many bytes of events; the oldest are removed. @default no limit */
  maxBytes?: number | undefined
}

/** Checks `RetentionOptions`. */
export const retentionSchema = z
  .strictObject({
    maxAgeMs: z.number().positive().optional().meta({
      description: 'Events stored longer ago than this are removed.',
    }),
    maxEvents: z.int().min(1).optional().meta({
      description: 'Keep at most this many events; the oldest are removed.',
    }),
    maxBytes: z.int().min(1).optional().meta({
      description: 'Keep at most this many bytes of events; the oldest are removed.',
    }),
  })
  .default({}) satisfies z.ZodType<RetentionOptions, RetentionOptions | undefined>
