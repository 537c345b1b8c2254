import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { z } from 'zod'
import type { Clock } from './clock.js'
import type { FailedDelivery } from './consume/handler/failed-delivery.js'
import type { CloudEvent, EventInput, JsonValue } from './event/cloud-event.js'
import type { EventSchemas } from './event/event-schemas.js'
import { type WaitOptions, waitSchema } from './outcome/wait-options.js'
import type { EventStore, StartPosition } from './store/event-store.js'
import type { StateChange } from './store/group-state.js'
import { timeSchema } from './store/query-options.js'
import type { Durability } from './store/stored-event.js'

/** Options of `EventBus.open`. */
export interface EventBusOptions<Schemas extends EventSchemas = EventSchemas> {
  /** Where events are kept: `memoryStore()`, `localStore()`, or one of another package. */
  store: EventStore
  /** `source` of events published without one. @default '/nexus' */
  source?: string | undefined
  /** How publishes share writes, and how failed writes are made again. */
  publisher?: PublisherOptions | undefined
  /** Publishes that may wait for the store; further ones are refused with BACKPRESSURE. @default 10000 */
  maxPendingEvents?: number | undefined
  /** Largest event, as UTF-8 bytes of its JSON text. @default 1048576 */
  maxEventBytes?: number | undefined
  /**
   * Longest JSON of what is stored with a delivery, in UTF-8 bytes: a longer record is cut, and says so in
   * `truncated`. @default 1048576
   */
  maxRecordBytes?: number | undefined
  /** Schemas of `data`, by event type: an event that does not fit is refused at publish. @default {} */
  schemas?: Schemas | undefined
  /** Told when the server goes and comes back, what was lost, and which events are given up. @default nothing is logged */
  logger?: Logger | undefined
  /** @default the machine's clock */
  clock?: Clock | undefined
}

/** Options of the way into the store. */
export interface PublisherOptions {
  /** How publishes made at about the same time share a write. */
  batching?: BatchingOptions | undefined
  /**
   * When a write is made again that failed with `STORE_FAILED` or `STORE_UNAVAILABLE`. Events keep their ids, so none is
   * stored twice; one that was stored although its write failed is reported as a duplicate. `maxAttempts: 1` turns it
   * off. @default { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 5000, factor: 2, jitter: 0.5 }
   */
  retry?: RetryOptions | undefined
}

/** Options of the publisher's batching. */
export interface BatchingOptions {
  /** Off means: one write per publish. @default true */
  enabled?: boolean | undefined
  /** Most events in one write. @default 1000 */
  maxSize?: number | undefined
  /** Longest wait for a running write before the next one starts beside it; a lone publish never waits. @default 50 */
  maxWaitMs?: number | undefined
}

/** Options of `publish` and `publishBatch`. */
export interface PublishOptions {
  /** What to survive before the publish resolves. @default the store's level */
  durability?: Durability | undefined
  /** Deliver no earlier than this after it is stored, by the store's clock: 0 to 315,360,000,000, ten years. */
  delayMs?: number | undefined
  /** Deliver no earlier than this time, which is within the next ten years; one that has passed means now. */
  deliverAt?: string | Date | undefined
  /** Resolve only when the groups ended with the event, or the time is over; `true` means up to 30 s. @default false */
  wait?: boolean | WaitOptions | undefined
}

/** When something that failed is tried again. */
export interface RetryOptions {
  /** Attempts in all; 1 means no retry. @default 5 for a delivery, 3 for a write */
  maxAttempts?: number | undefined
  /** Wait after the first failure. @default 100 */
  baseDelayMs?: number | undefined
  /** Longest wait. @default 5000 */
  maxDelayMs?: number | undefined
  /** By how much each wait is longer than the one before. @default 2 */
  factor?: number | undefined
  /** Share of each wait that is random, 0 to 1, so that failures do not come back in step. @default 0.5 */
  jitter?: number | undefined
}

/** How a subscription takes events from the store. */
export interface FetchOptions {
  /** Most events of one request, and most that are claimed before a handler is free for them. @default 100 */
  batchSize?: number | undefined
  /** How long to let events gather after fewer than wanted came; the first one never waits. @default 0 */
  maxWaitMs?: number | undefined
}

/** Options of `subscribe`. */
export interface SubscribeOptions {
  /** Durable name: every group gets every matching event once, shared among its consumers. */
  group: string
  /** Handlers running at once. @default 16 */
  concurrency?: number | undefined
  /** Events with the same key are handled one after the other, in publish order: a path such as `data.orderId`, or a function. */
  orderingKey?: string | ((event: CloudEvent) => string | undefined) | undefined
  /** When a failed attempt is made again. @default { maxAttempts: 5, baseDelayMs: 100, maxDelayMs: 5000, factor: 2, jitter: 0.5 } */
  retry?: RetryOptions | undefined
  /** For how long a consumer may be silent before its events go to another one. @default 30000 */
  ackWaitMs?: number | undefined
  /** How events are taken from the store. */
  fetch?: FetchOptions | undefined
  /** Most handler starts per second of this subscription. @default unlimited */
  maxPerSecond?: number | undefined
  /** Where a group begins that never existed before. @default 'now' */
  start?: StartPosition | undefined
  /**
   * Events to store together with a dead letter, or not at all. Where it throws, or an event is refused, that is reported as an
   * error, and the dead letter is stored without events. @default none
   */
  onDeadLetter?: ((letter: FailedDelivery) => readonly EventInput[]) | undefined
}

/** An event to deliver at a time. */
export interface ScheduledEvent {
  /** The event with its id, under which it is stored once. */
  event: EventInput & {
    /** Unique within its source. */
    id: string
  }
  /** When groups get it, in milliseconds since the epoch. @default at once */
  deliverAtMs?: number | undefined
}

/** What a handler may answer. */
export interface HandlerResult {
  /** Published together with the ack of this event, or not at all; a retry does not emit twice. */
  emit?: readonly EventInput[] | undefined
  /** Published together with the ack as well, under ids that must not change with a retry, and delivered at their time. */
  schedule?: readonly ScheduledEvent[] | undefined
  /** Kept with the delivery, for `get`. */
  record?: JsonValue | undefined
  /** What the group keeps from now on, stored together with the ack, or not at all; see `EventBus.states`. */
  state?: readonly StateChange[] | undefined
  /** The work goes on with a later event: the delivery counts as `suspended`. @default false */
  suspended?: boolean | undefined
}

/** Ten years. */
export const MAX_DELAY_MS = 10 * 365 * 86_400_000

const delayMs = z.number().min(0).max(MAX_DELAY_MS)

/** Checks {@link RetryOptions} and fills in defaults. */
export const retrySchema = z.strictObject({
  maxAttempts: z.int().min(1).default(5).meta({
    description: 'Attempts in all, the first one included; 1 means no retry.',
  }),
  baseDelayMs: delayMs.default(100).meta({ description: 'Wait after the first failure.' }),
  maxDelayMs: delayMs.default(5000).meta({ description: 'Longest wait between attempts.' }),
  factor: z.number().min(1).default(2).meta({
    description: 'By how much each wait is longer than the one before.',
  }),
  jitter: z.number().min(0).max(1).default(0.5).meta({
    description:
      'Share of each wait that is random, 0 to 1, so that failures do not come back in step.',
  }),
}) satisfies z.ZodType<ResolvedRetryOptions, RetryOptions>

/** Checks {@link BatchingOptions} and fills in defaults. */
export const batchingSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'false: one write for each publish.' }),
  maxSize: z.int().min(1).default(1000).meta({ description: 'Most events in one write.' }),
  maxWaitMs: z
    .number()
    .min(0)
    .max(2 ** 31 - 1)
    .default(50)
    .meta({
      description:
        'Longest wait for a write under way before the next one starts beside it; a lone publish never waits.',
    }),
}) satisfies z.ZodType<ResolvedBatchingOptions, BatchingOptions>

/** Checks {@link PublisherOptions} and fills in defaults. */
export const publisherSchema = z.strictObject({
  batching: batchingSchema
    .prefault({})
    .meta({ description: 'How publishes made at about the same time share a write.' }),
  retry: retrySchema
    .extend({
      maxAttempts: z.int().min(1).default(3).meta({
        description: 'Attempts in all, the first one included; 1 means no retry.',
      }),
    })
    .prefault({})
    .meta({ description: 'When a write that the store did not answer is tried again.' }),
}) satisfies z.ZodType<ResolvedPublisherOptions, PublisherOptions>

/** Checks {@link FetchOptions} and fills in defaults. */
export const fetchSchema = z.strictObject({
  batchSize: z.int().min(1).max(10_000).default(100).meta({
    description: 'Most events fetched from the store at once.',
  }),
  maxWaitMs: z
    .number()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0)
    .meta({
      description:
        'How long to let events gather after fewer than wanted came; the first one never waits.',
    }),
}) satisfies z.ZodType<Defined<FetchOptions>, FetchOptions>

type Defined<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

export type ResolvedRetryOptions = Defined<RetryOptions>
export type ResolvedBatchingOptions = Defined<BatchingOptions>

export interface ResolvedPublisherOptions {
  batching: ResolvedBatchingOptions
  retry: ResolvedRetryOptions
}

export interface ResolvedEventBusOptions extends Defined<Omit<EventBusOptions, 'clock'>> {
  publisher: ResolvedPublisherOptions
  clock?: Clock | undefined
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
/** A schema of arktype is a function. */
const isStandardSchema = (value: unknown): boolean =>
  (isObject(value) || typeof value === 'function') &&
  typeof (value as Partial<StandardSchemaV1>)['~standard']?.validate === 'function'

export const eventBusSchema = z.strictObject({
  store: z.custom<EventStore>(isObject, 'expected a store such as memoryStore()'),
  source: z.string().min(1).max(512).default('/nexus'),
  publisher: publisherSchema.prefault({}),
  maxPendingEvents: z.int().min(1).default(10_000),
  maxEventBytes: z.int().min(1).default(1_048_576),
  maxRecordBytes: z.int().min(1_024).default(1_048_576),
  logger: loggerSchema,
  schemas: z
    .record(
      z.string(),
      z.custom<StandardSchemaV1>(
        isStandardSchema,
        'expected a schema with the interface of standardschema.dev, such as one of zod 3.24 or later',
      ),
    )
    .default({}),
  clock: z.custom<Clock>(isObject, 'expected a clock').optional(),
}) satisfies z.ZodType<ResolvedEventBusOptions, EventBusOptions>

export interface ResolvedSubscribeOptions
  extends Defined<Omit<SubscribeOptions, 'orderingKey' | 'maxPerSecond' | 'onDeadLetter'>> {
  retry: ResolvedRetryOptions
  fetch: Defined<FetchOptions>
  orderingKey?: string | ((event: CloudEvent) => string | undefined) | undefined
  maxPerSecond?: number | undefined
  onDeadLetter?: ((letter: FailedDelivery) => readonly EventInput[]) | undefined
}

const startSchema = z.union([
  z.enum(['now', 'beginning']),
  z.strictObject({ time: timeSchema }),
  z.strictObject({ id: z.string(), source: z.string().optional() }),
]) satisfies z.ZodType<StartPosition, StartPosition>

/** Group names are part of keys and of names on servers, so they are kept plain. */
export const GROUP_NAME = /^[A-Za-z0-9_-]{1,128}$/

/** Checks {@link SubscribeOptions} and fills in defaults. */
export const subscribeSchema = z.strictObject({
  group: z.string().regex(GROUP_NAME, 'expected 1 to 128 letters, digits, - and _'),
  concurrency: z.int().min(1).default(16).meta({ description: 'Handlers running at once.' }),
  orderingKey: z
    .union([
      z.string().min(1),
      z.custom<(event: CloudEvent) => string | undefined>(
        (value) => typeof value === 'function',
        'expected a path such as data.orderId, or a function',
      ),
    ])
    .optional(),
  retry: retrySchema.prefault({}),
  ackWaitMs: z.int().min(1000).default(30_000).meta({
    description: 'For how long a consumer may be silent before its events go to another one.',
  }),
  fetch: fetchSchema.prefault({}),
  maxPerSecond: z.number().positive().optional(),
  start: startSchema.default('now'),
  onDeadLetter: z
    .custom<(letter: FailedDelivery) => readonly EventInput[]>(
      (value) => typeof value === 'function',
      'expected a function',
    )
    .optional(),
}) satisfies z.ZodType<ResolvedSubscribeOptions, SubscribeOptions>

export const publishSchema = z.strictObject({
  durability: z.enum(['memory', 'os', 'disk']).optional(),
  delayMs: delayMs.optional(),
  deliverAt: timeSchema.optional(),
  wait: z.union([z.boolean(), waitSchema]).optional(),
}) satisfies z.ZodType<PublishOptions, PublishOptions>
