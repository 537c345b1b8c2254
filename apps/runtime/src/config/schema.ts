import { publisherSchema } from '@nexus/event-bus'
import { webhookSchema } from '@nexus/event-bus/http'
import { functionEntrySchema, resumeLinkSchema } from '@nexus/functions'
import { webhookHeadersSchema, webhookNameSchema } from '@nexus/server'
import { z } from 'zod'
import { busSchema } from '../bus/bus-schema.js'
import { performanceSchema } from './performance-schema.js'

/** From the most to the least that is said. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const milliseconds = z.int().min(1).max(86_400_000)
const bytes = z.int().min(1)
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
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
        publicUrl: resumeLinkSchema.shape.baseUrl.optional().meta({
          description:
            'Address under which people reach this server: links of ctx.resumeUrl begin with it. They need NEXUS_LINK_KEY as well.',
        }),
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
    minInstances: z.int().min(0).max(1024).optional().meta({
      description: 'Sandboxes that each thread makes at its start and keeps when idle.',
    }),
    maxQueue: z.int().min(0).optional().meta({
      description: 'Calls that may wait for a thread; one more is POOL_EXHAUSTED.',
    }),
    maxWaiting: z.int().min(0).optional().meta({
      description: 'Calls that may wait for a sandbox of their thread; one more is POOL_EXHAUSTED.',
    }),
    acquireTimeoutMs: milliseconds.optional().meta({
      description: 'How long a call waits for a sandbox of its thread before POOL_EXHAUSTED.',
    }),
    idleTimeoutMs: milliseconds.optional().meta({
      description: 'When an idle sandbox above minInstances is disposed.',
    }),
    maxModuleBytes: bytes.optional().meta({
      description: 'WebAssembly whose compiled modules are kept, in bytes.',
    }),
    log: z
      .strictObject({
        level: z.enum(LOG_LEVELS).default('info').meta({
          description: 'What is logged: this and what is more severe.',
        }),
      })
      .prefault({}),
    performance: performanceSchema,
    handlerTimeoutMs: milliseconds
      .default(5000)
      .meta({ description: 'Time limit of a call of a function without its own timeoutMs.' }),
    drainTimeoutMs: z.int().min(0).max(600_000).default(10_000).meta({
      description: 'How long a stop waits for requests and calls that are under way.',
    }),
    functions: z.array(functionEntrySchema).default([]),
  })
  .meta({ title: 'Nexus configuration', description: 'What nexus.yaml holds.' })

/** A valid `nexus.yaml`, defaults applied, paths as written. */
export type ConfigFile = z.output<typeof configSchema>
