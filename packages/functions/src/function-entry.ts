import { fetchSchema, patternSchema, retrySchema, subscribeSchema } from '@nexus/event-bus'
import { callOptionsSchema } from '@nexus/executor'
import { z } from 'zod'
import { httpTriggerSchema } from './http/http-trigger.js'
import { scheduleSchema } from './schedule/schedule.js'

const milliseconds = z.int().min(1).max(86_400_000)
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'expected letters, digits and dashes, at most 63')
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
const capability = z
  .string()
  .regex(
    /^(events:emit|events:wait|env|invoke|net|secret):\S+$/,
    'expected events:emit:<pattern>, events:wait:<pattern>, invoke:<function>, net:<host>, env:<NAME> or secret:<NAME>',
  )

const orderingKey = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
    'expected the path of a value in the event, for example data.customerId',
  )

const { ackWaitMs, concurrency } = subscribeSchema.shape
const { isolation, memoryLimitBytes } = callOptionsSchema.shape

/** Checks an entry of `functions` in a file such as `nexus.yaml`: paths and names of environment variables as they are written there. */
export const functionEntrySchema = z.strictObject({
  name: name.meta({
    description: 'Unique; also the consumer group that remembers which events are done.',
  }),
  source: z.string().min(1).meta({
    description:
      'Relative to this file: a .js or .ts module with the handler as its default export, or a .wasm command.',
  }),
  importRoot: z.string().min(1).optional().meta({
    description:
      'Directory whose files the handler may import, relative to this file; by default that of source.',
  }),
  events: z.array(patternSchema).optional().meta({
    description:
      'Event types it runs for: * is one token, a last > is the rest. [] where it is only invoked, or called on failure.',
  }),
  schedule: scheduleSchema.optional().meta({
    description: 'When it runs by the clock: a cron expression in UTC, or one with its time zone.',
  }),
  http: httpTriggerSchema.optional().meta({
    description: 'Requests that it answers: its handler gets a Request and returns a Response.',
  }),
  start: z.enum(['now', 'beginning']).optional().meta({
    description:
      'Where a function begins that the bus has never seen: with the events after its first start, or with all that are stored.',
  }),
  timeoutMs: milliseconds.optional().meta({ description: 'Time limit of one call.' }),
  memoryLimitBytes: memoryLimitBytes.meta({ description: 'Memory limit of one call.' }),
  schema: z
    .union([z.string().min(1), z.record(z.string(), z.json())])
    .optional()
    .meta({
      description:
        'JSON Schema of the data of its events, or a file with it, relative to this file. An event that does not fit becomes a dead letter.',
    }),
  retry: retrySchema.optional().meta({ description: 'What happens after an attempt failed.' }),
  concurrency: concurrency.unwrap().max(10_000).optional().meta({
    description: 'Calls at the same time.',
  }),
  orderingKey: orderingKey.optional().meta({
    description: 'Path of the value whose events run one after the other, e.g. data.customerId.',
  }),
  ackWaitMs: ackWaitMs.unwrap().max(86_400_000).optional().meta({
    description: 'How long an event stays with a runtime that died, before another one runs it.',
  }),
  fetch: fetchSchema.optional().meta({ description: 'How it takes events from the store.' }),
  onFailure: subscribeSchema.shape.group.optional().meta({
    description: 'Function that hears of each event that this one gives up on.',
  }),
  pauseAfterFailures: z.int().min(1).optional().meta({
    description: 'It is paused once it gave up on so many events in a row.',
  }),
  capabilities: z.array(capability).default([]).meta({
    description:
      'What it may do apart from computing: events:emit:<pattern>, events:wait:<pattern>, invoke:<function>, net:<host>, env:<NAME>, secret:<NAME>.',
  }),
  isolation: isolation.meta({
    description: 'pristine: each call sees the module as just loaded. shared: its state stays.',
  }),
  env: z
    .array(variable)
    .default([])
    .meta({ description: 'Environment variables it gets to see in ctx.env.' }),
  secrets: z.array(variable).default([]).meta({
    description:
      'Environment variables it gets to see in ctx.secrets; their values are kept out of logs and errors.',
  }),
  args: z.array(z.string()).optional().meta({ description: 'Arguments of a .wasm command.' }),
  files: z.record(z.string(), z.string().min(1)).optional().meta({
    description: 'What a .wasm command finds: the path it opens, and a file relative to this one.',
  }),
  sample: z.json().optional().meta({
    description: 'Data of an event to try it with; the start prints a curl line with it.',
  }),
})

/** A checked entry of `functions`, with defaults filled in. */
export type FunctionEntry = z.output<typeof functionEntrySchema>
