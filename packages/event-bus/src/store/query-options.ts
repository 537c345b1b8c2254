import { z } from 'zod'
import { assertPattern } from '../event/pattern.js'
import type { DeadLetterQuery, ListQuery, ReplayQuery } from './event-store.js'

/** A moment: RFC 3339 text or a Date. */
export const timeSchema = z
  .union([z.string(), z.date()])
  .refine(
    (time) => !Number.isNaN(new Date(time).getTime()),
    'expected an RFC 3339 time such as 2026-01-31T12:00:00Z, or a Date',
  )

const patternSchema = z.string().superRefine((pattern, context) => {
  try {
    assertPattern(pattern)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

const limitSchema = z.int().min(1).max(1000).optional()

export const listSchema = z.strictObject({
  limit: limitSchema,
  cursor: z.string().regex(/^\d+$/, 'expected the cursor of an earlier page').optional(),
  type: patternSchema.optional(),
  source: z.string().optional(),
  since: timeSchema.optional(),
  until: timeSchema.optional(),
  status: z.enum(['pending', 'running', 'retrying', 'succeeded', 'dead-lettered']).optional(),
  order: z.enum(['asc', 'desc']).optional(),
}) satisfies z.ZodType<ListQuery, ListQuery>

const groupsSchema = z.array(z.string()).optional()

export const replaySchema = z.union([
  z.strictObject({ id: z.string().min(1), groups: groupsSchema }),
  z.strictObject({
    type: patternSchema.optional(),
    since: timeSchema.optional(),
    until: timeSchema.optional(),
    groups: groupsSchema,
  }),
]) satisfies z.ZodType<ReplayQuery, ReplayQuery>

export const deadLetterSchema = z.strictObject({
  group: z.string().optional(),
  id: z.string().optional(),
}) satisfies z.ZodType<DeadLetterQuery, DeadLetterQuery>

/** A page of dead letters; the cursor is the group and sequence of the last one, as JSON. */
export const deadLetterListSchema = deadLetterSchema.extend({
  limit: limitSchema,
  cursor: z
    .string()
    .regex(/^\["[\w-]+",\d+\]$/, 'expected the cursor of an earlier page')
    .optional(),
})
