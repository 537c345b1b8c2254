import { z } from 'zod'
import { assertPattern } from '../event/pattern.js'
import { parseRfc3339 } from '../event/rfc3339.js'
import type { DeadLetterQuery, EraseQuery, ListQuery, ReplayQuery } from './queries.js'
import { DELIVERY_STATUSES } from './stored-event.js'

/** A moment: RFC 3339 text or a Date. */
export const timeSchema = z
  .union([z.string(), z.date()])
  .refine(
    (time) =>
      typeof time === 'string' ? parseRfc3339(time) !== undefined : !Number.isNaN(time.getTime()),
    'expected an RFC 3339 time such as 2026-01-31T12:00:00Z, or a Date',
  )

/** Checks a pattern of event types. */
export const patternSchema = z.string().superRefine((pattern, context) => {
  try {
    assertPattern(pattern)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

const limitSchema = z.int().min(1).max(1000).optional()
const maxPageBytesSchema = z.int().min(1).optional()
/** Ids and sources of events have no more. */
const attributeSchema = z.string().min(1).max(512)

/** Which event a call is about. */
export const eventKeySchema = z.strictObject({
  id: attributeSchema,
  source: attributeSchema.optional(),
})

export const eraseSchema = eventKeySchema.extend({
  reason: z.string().max(512).optional(),
}) satisfies z.ZodType<EraseQuery, EraseQuery>

export const listSchema = z.strictObject({
  limit: limitSchema,
  cursor: z.string().max(20).regex(/^\d+$/, 'expected the cursor of an earlier page').optional(),
  type: patternSchema.optional(),
  source: attributeSchema.optional(),
  since: timeSchema.optional(),
  until: timeSchema.optional(),
  status: z.enum(DELIVERY_STATUSES).optional(),
  order: z.enum(['asc', 'desc']).optional(),
  maxPageBytes: maxPageBytesSchema,
}) satisfies z.ZodType<ListQuery, ListQuery>

const groupsSchema = z.array(z.string()).optional()

export const replaySchema = z.union([
  eventKeySchema.extend({ groups: groupsSchema }),
  z.strictObject({
    type: patternSchema.optional(),
    since: timeSchema.optional(),
    until: timeSchema.optional(),
    groups: groupsSchema,
  }),
]) satisfies z.ZodType<ReplayQuery, ReplayQuery>

export const deadLetterSchema = z.strictObject({
  group: z.string().max(128).optional(),
  id: attributeSchema.optional(),
  source: attributeSchema.optional(),
}) satisfies z.ZodType<DeadLetterQuery, DeadLetterQuery>

/** A page of dead letters; the cursor is the group and sequence of the last one, as JSON. */
export const deadLetterListSchema = deadLetterSchema.extend({
  limit: limitSchema,
  maxPageBytes: maxPageBytesSchema,
  cursor: z
    .string()
    .regex(/^\["[\w-]+",\d+\]$/, 'expected the cursor of an earlier page')
    .optional(),
})
