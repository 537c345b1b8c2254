import {
  fetchSchema,
  patternSchema,
  publisherSchema,
  retrySchema,
  subscribeSchema,
} from '@nexus/event-bus'
import { webhookSchema } from '@nexus/event-bus/http'
import { callOptionsSchema } from '@nexus/executor'
import { webhookHeadersSchema, webhookNameSchema } from '@nexus/server'
import { z } from 'zod'
import { busSchema } from '../bus/bus-schema.js'
import { performanceSchema } from './performance-schema.js'

const milliseconds = z.int().min(1).max(86_400_000)
const bytes = z.int().min(1)
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'expected letters, digits and dashes, at most 63')
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
const capability = z
  .string()
  .regex(
    /^(events:emit|env|net|secret):\S+$/,
    'expected events:emit:<pattern>, net:<host>, env:<NAME> or secret:<NAME>',
  )
const { source: _, ...webhookFields } = webhookSchema.shape
/** The library takes secrets; a file names the environment variables that hold them. */
const webhookEntry = z
  .strictObject({
    ...webhookFields,
    secrets: z.array(variable).min(1).meta({
      description: 'Environment variables with the secrets; two while a secret is being replaced.',
    }),
  })
  .refine(
    ({ scheme, signatureHeader, typeHeader }) =>
      scheme === 'hmac' || !(signatureHeader ?? typeHeader),
    'expected signatureHeader and typeHeader only with the scheme hmac',
  )

const orderingKey = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
    'expected the path of a value in the event, for example data.customerId',
  )

const { ackWaitMs, concurrency } = subscribeSchema.shape
const { isolation, memoryLimitBytes } = callOptionsSchema.shape

const functionSchema = z.strictObject({
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
  events: z
    .array(patternSchema)
    .min(1)
    .meta({ description: 'Event types it runs for: * is one token, a last > is the rest.' }),
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
  capabilities: z.array(capability).default([]).meta({
    description:
      'What it may do apart from computing: events:emit:<pattern>, net:<host>, env:<NAME>, secret:<NAME>.',
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

/** The file `nexus.yaml`, with defaults where a value does not depend on the libraries below. */
export const configSchema = z
  .strictObject({
    server: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1').meta({
          description: 'Address to listen on; anything but loopback needs NEXUS_TOKEN.',
        }),
        port: z.int().min(0).max(65_535).default(8080),
        bodyLimitBytes: bytes
          .default(1_048_576)
          .meta({ description: 'Largest request body; more is answered with 413.' }),
      })
      .prefault({}),
    webhook: webhookHeadersSchema.prefault({}),
    webhooks: z.record(webhookNameSchema, webhookEntry).default({}).meta({
      description: 'Signed webhooks by name, at POST /api/webhooks/<name>; they need no token.',
    }),
    bus: busSchema,
    publisher: publisherSchema
      .prefault({})
      .meta({ description: 'How events are written to the store.' }),
    dataDir: z
      .string()
      .min(1)
      .default('.nexus')
      .meta({ description: 'Directory of the event log, relative to this file.' }),
    cacheDir: z
      .string()
      .min(1)
      .default('.nexus-cache')
      .meta({ description: 'Directory of compiled handlers, relative to this file.' }),
    importRoot: z.string().min(1).optional().meta({
      description:
        'Directory whose files handlers may import, relative to this file; by default that of each source.',
    }),
    maxCacheSizeBytes: bytes.optional().meta({ description: 'Size limit of cacheDir.' }),
    maxCacheMemoryBytes: bytes
      .optional()
      .meta({ description: 'What the compile cache keeps in memory, in bytes.' }),
    cacheSecretEnv: variable.optional().meta({
      description:
        'Environment variable with the secret that seals compiled handlers (default: NEXUS_CACHE_SECRET). With it, runtimes on one bus server share them.',
    }),
    threads: z
      .int()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: 'Worker threads that run handlers.' }),
    maxHandlerBytes: bytes.optional().meta({
      description: 'What each thread keeps of handlers that are ready to be called, in bytes.',
    }),
    maxInstances: z.int().min(1).max(1024).optional().meta({
      description: 'The most sandboxes alive on each thread.',
    }),
    performance: performanceSchema,
    handlerTimeoutMs: milliseconds
      .default(5000)
      .meta({ description: 'Time limit of a call of a function without its own timeoutMs.' }),
    drainTimeoutMs: z.int().min(0).max(600_000).default(10_000).meta({
      description: 'How long a stop waits for requests and calls that are under way.',
    }),
    functions: z.array(functionSchema).default([]),
  })
  .meta({ title: 'Nexus configuration', description: 'What nexus.yaml holds.' })

/** A valid `nexus.yaml`, defaults applied, paths as written. */
export type ConfigFile = z.output<typeof configSchema>

/** One entry of `functions`. */
export type FunctionFile = ConfigFile['functions'][number]
