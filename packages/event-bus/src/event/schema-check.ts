import type { z } from 'zod'
import { EventBusError } from '../errors.js'
import type { CloudEvent } from './cloud-event.js'

/**
 * Checks an event's data against the schema of its type, when there is one.
 *
 * @throws EventBusError `SCHEMA_MISMATCH` with the path of every problem
 */
export function assertSchema(
  schemas: Readonly<Record<string, z.ZodType>>,
  event: CloudEvent,
): void {
  const schema = Object.hasOwn(schemas, event.type) ? schemas[event.type] : undefined
  const result = schema?.safeParse(event.data)
  if (result === undefined || result.success) return
  const problems = result.error.issues.map((issue) => ({
    path: ['data', ...issue.path.map(String)].join('.'),
    message: issue.message,
  }))
  throw new EventBusError(
    'SCHEMA_MISMATCH',
    `event ${event.type}: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    { details: { id: event.id, type: event.type, problems }, cause: result.error },
  )
}
