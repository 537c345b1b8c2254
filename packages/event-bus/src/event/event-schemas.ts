import type { StandardSchemaV1 } from '@standard-schema/spec'
import { EventBusError } from '../errors.js'
import type { CloudEvent, EventInput } from './cloud-event.js'

/**
 * A schema of `data` for each event type that has one: of zod, valibot, arktype or any other validator that has the interface
 * of https://standardschema.dev. An event that does not fit is refused; data is stored as it was given, not as a schema changes it.
 */
export type EventSchemas = Readonly<Record<string, StandardSchemaV1>>

/** Without schemas. */
export type NoSchemas = Readonly<Record<never, never>>

/** What the schema of an event type takes as `data`. */
export type EventData<Schemas, Type extends keyof Schemas> = Schemas[Type] extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<Schemas[Type]>
  : unknown

/** An event to publish: of a type that has a schema, `data` is what that takes. */
export type TypedEventInput<Schemas, Type extends string> = EventInput & {
  type: Type
} & (HasSchema<Schemas, Type> extends true
    ? { data: EventData<Schemas, Type & keyof Schemas> }
    : unknown)

/** The events of a pattern: of a type that has a schema, `data` is what that takes. */
export type TypedEvent<Schemas, Pattern extends string> = Pattern extends string
  ? HasSchema<Schemas, Pattern> extends true
    ? CloudEvent<EventData<Schemas, Pattern & keyof Schemas>> & {
        type: Pattern
        data: EventData<Schemas, Pattern & keyof Schemas>
      }
    : CloudEvent
  : never

/** Schemas whose types are not known one by one say nothing. */
type HasSchema<Schemas, Type> = string extends keyof Schemas
  ? false
  : Type extends keyof Schemas
    ? true
    : false

/**
 * Checks an event's data against the schema of its type, when there is one.
 *
 * @throws EventBusError `SCHEMA_MISMATCH` with the path of every problem; `INVALID_OPTIONS` for a schema that answers later
 */
export function assertSchema(schemas: EventSchemas, event: CloudEvent): void {
  const schema = Object.hasOwn(schemas, event.type) ? schemas[event.type] : undefined
  const result = schema?.['~standard'].validate(event.data)
  if (result === undefined) return
  if (result instanceof Promise) {
    result.catch(() => {})
    throw new EventBusError(
      'INVALID_OPTIONS',
      `schemas: that of ${event.type} answers with a promise; expected one that checks at once`,
    )
  }
  if (result.issues === undefined) return
  const problems = result.issues.map(({ path = [], message }) => ({
    path: ['data', ...path.map(nameOf)].join('.'),
    message,
  }))
  throw new EventBusError(
    'SCHEMA_MISMATCH',
    `event ${event.type}: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    { details: { id: event.id, type: event.type, problems } },
  )
}

function nameOf(step: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof step === 'object' ? step.key : step)
}
