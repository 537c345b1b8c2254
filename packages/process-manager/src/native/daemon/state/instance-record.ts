import { z } from 'zod'

/** What is written down of an instance, so that the next daemon finds its process. */
export interface InstanceRecord {
  pid: number
  identity: string
  startedAt: number
  restarts: number
  /** Where it prints to; null where what it prints is lost. */
  output: string | null
}

/** As it is read again. */
export const instanceRecordSchema = z.object({
  // A damaged file may hold any number, and 0 or -1 would signal every process.
  pid: z.number().int().min(2),
  identity: z.string().min(1).max(256),
  startedAt: z.number(),
  restarts: z.number().int().min(0),
  // It becomes a path: none may lead out of the directory.
  output: z.nullable(z.string().regex(/^\w+$/)),
}) satisfies z.ZodType<InstanceRecord>
