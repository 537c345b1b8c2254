import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import type { EventBus } from '@nexus/event-bus'
import type { WebhookOptions } from '@nexus/event-bus/http'
import type { WasmRuntime } from '@nexus/executor'
import type { FunctionHost } from '@nexus/functions'
import type { Tracing } from '@nexus/functions/otel'
import type { MetricsCollector, SystemMonitor } from '@nexus/metrics'
import { z } from 'zod'
import { isLoopback } from './access/loopback.js'
import { ServerError } from './errors.js'
import type { PerformanceSource, ProfileSource } from './operations/performance-source.js'

/** A webhook of {@link NexusApiOptions.webhooks}; `source` of its events is `/webhooks/<name>`. */
export type NamedWebhook = Omit<WebhookOptions, 'source'>

/** What pages may send; see `POST /api/performance`. */
export interface PageMetricsOptions {
  /** Other origins whose pages may send metrics; those of the server always may. @default [] */
  origins?: readonly string[] | undefined
  /** Metrics taken from all pages together in a minute; more is answered with 429. @default 6000 */
  maxMetricsPerMinute?: number | undefined
  /** Names of their own that pages may give metrics in `/metrics`; more count as `(other)`. @default 100 */
  maxNames?: number | undefined
}

/** Options of the plugin {@link nexusApi}. */
export interface NexusApiOptions {
  /** Where events are published and looked up. */
  bus: EventBus
  /** Whose functions can be invoked, and named by `POST /api/profile`. @default none: no such routes */
  functions?: FunctionHost | undefined
  /**
   * Whether functions with `http` answer the requests that no other route of the plugin does, below its prefix: needs the wildcard
   * route `/*` there.
   * @default true
   */
  httpFunctions?: boolean | undefined
  /**
   * The address that the application listens on. Anything but loopback needs a `token`; on loopback other names in
   * `Host` are refused, so that no page of the web can reach the server under a name of its own.
   * @default '127.0.0.1'
   */
  host?: string | undefined
  /** What clients send as `authorization: Bearer <token>`, at least 16 characters. @default none is wanted */
  token?: string | undefined
  /** Headers of `POST /api/webhook` that name the type and the id of the event. */
  webhook?: { typeHeader?: string | undefined; idHeader?: string | undefined } | undefined
  /** Signed webhooks by name, at `POST /api/webhooks/<name>`; they need no token. @default {} */
  webhooks?: Readonly<Record<string, NamedWebhook>> | undefined
  /** Largest request body, in bytes; more is answered with 413. @default 1_048_576 (1 MiB) */
  bodyLimitBytes?: number | undefined
  /** How long a body may take to arrive, in milliseconds; then the answer is 408. @default 30_000 */
  bodyTimeoutMs?: number | undefined
  /** Bytes of events on one page of `GET /api/events`; a page that is full ends early, with its cursor. @default 4_194_304 (4 MiB) */
  maxPageBytes?: number | undefined
  /** `data` larger than this, in bytes, is not listed: its size and a link to the event are. @default 16_384 (16 KiB) */
  maxListedDataBytes?: number | undefined
  /** What `/metrics` and `/api/metrics` show. @default none: no such routes */
  metrics?: MetricsCollector | undefined
  /** What `/api/metrics` says of the machine. @default nothing */
  system?: SystemMonitor | undefined
  /** Whose caches of compiled code `/api/cache` and `/api/metrics` are about. @default none: no such routes */
  runtime?: WasmRuntime | undefined
  /** What takes profiles for `POST /api/profile`; `false`: they are turned off. @default none: no such route */
  profiler?: ProfileSource | false | undefined
  /** Finds optimizations and keeps metrics of pages. @default none: no such routes */
  performance?: PerformanceSource | undefined
  /** Whether `GET /api/optimizations` and applying them is allowed. @default true */
  enableOptimizations?: boolean | undefined
  /** Takes metrics from pages; `false`: it is turned off. @default none */
  pages?: PageMetricsOptions | false | undefined
  /** Makes each request that publishes a span. @default none */
  tracing?: Tracing | undefined
  /** Told who took what holds secrets, and which requests failed through a fault of the server. @default nothing is logged */
  logger?: Logger | undefined
  /** Whether every function listens and no stop has begun, for `GET /readyz`. @default () => true */
  ready?: (() => boolean) | undefined
  /**
   * Gets failures that are the server's own, and those of a bus whose server went away. What it throws itself changes no
   * answer: it is logged.
   * @default none
   */
  onFault?: ((error: Error) => void) | undefined
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
const isFunction = (value: unknown): boolean => typeof value === 'function'
const instance = <T>(expected: string) => z.custom<T>(isObject, `expected ${expected}`)
const header = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/, 'expected the name of an HTTP header')
  .transform((name) => name.toLowerCase())

/** Checks {@link PageMetricsOptions} and fills in defaults. */
export const pageMetricsSchema = z.strictObject({
  origins: z
    .array(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && new URL(text).origin === text,
          'expected scheme, host and port alone, such as https://shop.example.com',
        ),
    )
    .default([])
    .meta({
      description: 'Other origins whose pages may send metrics; those of this server always may.',
    }),
  maxMetricsPerMinute: z.int().min(1).max(1_000_000).default(6_000).meta({
    description: 'Metrics taken from all pages together; more is answered with 429.',
  }),
  maxNames: z.int().min(1).max(10_000).default(100).meta({
    description:
      'Names of their own that pages may give metrics in /metrics; more count as (other).',
  }),
})

/** Checks the headers of `POST /api/webhook` and fills in defaults. */
export const webhookHeadersSchema = z.strictObject({
  typeHeader: header.default('x-nexus-event-type').meta({
    description: 'Header that names the event type.',
  }),
  idHeader: header.default('x-nexus-event-id').meta({
    description: 'Header with the id of the delivery; one id is stored once.',
  }),
})

/** The name of a webhook in its URL. */
export const webhookNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'expected letters, digits and dashes, at most 63')

export const apiSchema = z.strictObject({
  bus: instance<EventBus>('an EventBus'),
  functions: instance<FunctionHost>('a FunctionHost').optional(),
  httpFunctions: z.boolean().default(true),
  host: z.string().min(1).default('127.0.0.1'),
  token: z.string().min(16).optional(),
  webhook: webhookHeadersSchema.prefault({}),
  webhooks: z
    .record(webhookNameSchema, z.custom<NamedWebhook>(isObject, 'expected a webhook'))
    .default({}),
  bodyLimitBytes: z.int().min(1).default(1_048_576),
  bodyTimeoutMs: z.int().min(1).default(30_000),
  maxPageBytes: z.int().min(1).default(4_194_304),
  maxListedDataBytes: z.int().min(0).default(16_384),
  metrics: instance<MetricsCollector>('a MetricsCollector').optional(),
  system: instance<SystemMonitor>('a SystemMonitor').optional(),
  runtime: instance<WasmRuntime>('a WasmRuntime').optional(),
  profiler: z.union([z.literal(false), instance<ProfileSource>('a source of profiles')]).optional(),
  performance: instance<PerformanceSource>('a source of optimizations').optional(),
  enableOptimizations: z.boolean().default(true),
  pages: z.union([z.literal(false), pageMetricsSchema]).optional(),
  tracing: instance<Tracing>('the result of createTracing').optional(),
  logger: loggerSchema,
  ready: z.custom<() => boolean>(isFunction, 'expected a function').default(() => () => true),
  onFault: z
    .custom<(error: Error) => void>(isFunction, 'expected a function')
    .default(() => () => {}),
})

/** {@link NexusApiOptions} with defaults filled in. */
export type ResolvedApiOptions = z.output<typeof apiSchema>

/** @throws ServerError `INVALID_OPTIONS` naming each wrong option, `TOKEN_REQUIRED` */
export function resolveOptions(options: NexusApiOptions): ResolvedApiOptions {
  const result = apiSchema.safeParse(options)
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new ServerError('INVALID_OPTIONS', `nexusApi: ${problems.join('; ')}`, {
      cause: result.error,
    })
  }
  const { host, token } = result.data
  if (!isLoopback(host) && token === undefined) {
    throw new ServerError(
      'TOKEN_REQUIRED',
      `host ${host} can be reached from other machines: set token to a secret that clients must send, or listen on 127.0.0.1`,
    )
  }
  return result.data
}
