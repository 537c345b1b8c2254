import { availableParallelism } from 'node:os'
import { HandlerCompiler } from '@nexus/compile-cache'
import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import type { Isolation } from '@nexus/instance-pool'
import { MetricsCollector } from '@nexus/metrics'
import { z } from 'zod'
import type { CallLimits } from './call/call.js'
import { ExecutorError } from './errors.js'
import { type ResolveHost, resolveWithSystem } from './net/address-policy.js'
import { type ImageKeyOptions, imageKeySchema } from './suspension/image-sealer.js'
import type { SuspensionStore } from './suspension/suspension-store.js'

/** What one call may use; each is a default of the runtime that a call may replace. */
export interface CallOptions {
  /**
   * How long a call may take, waiting for host calls included, in milliseconds.
   * @default 5000, or the environment variable `HANDLER_TIMEOUT_MS`
   */
  timeoutMs?: number | undefined
  /**
   * What the engine may allocate for a call, in bytes.
   * @default 33_554_432 (32 MiB)
   */
  memoryLimitBytes?: number | undefined
  /**
   * Emits, calls of host functions, fetches, timers and native work that a promise waits for (`crypto.subtle`), that one call
   * may make; log lines and native work that is done at once do not count.
   * @default 1000
   */
  maxHostCalls?: number | undefined
  /**
   * The size of a call's result as JSON, and of the events it emits, in bytes each.
   * @default 1_048_576 (1 MiB)
   */
  maxResultBytes?: number | undefined
  /**
   * What a call may log, in bytes; lines over the limit are dropped, and the last line says so.
   * @default 65_536 (64 KiB)
   */
  maxLogBytes?: number | undefined
  /**
   * Fetches that one call may make.
   * @default 50
   */
  maxFetches?: number | undefined
  /**
   * The body of each request that a call fetches, in bytes.
   * @default 1_048_576 (1 MiB)
   */
  maxRequestBytes?: number | undefined
  /**
   * The body of each response that a call fetches, in bytes after decompression.
   * @default 4_194_304 (4 MiB)
   */
  maxResponseBytes?: number | undefined
  /**
   * `pristine`: every call starts from the state right after the module ran. `shared`: the module's
   * state stays between the calls that one instance happens to serve, as in AWS Lambda.
   * @default 'pristine'
   */
  isolation?: Isolation | undefined
}

/** Options of a `WasmRuntime`: the defaults of every call, and what all calls share. */
export interface WasmRuntimeOptions extends CallOptions {
  /**
   * Worker threads that run calls. `0` runs them on the calling thread, where a native loop of a
   * guest cannot be stopped: only for handlers you trust not to attack.
   * @default the number of processors, at least 2
   */
  threads?: number | undefined
  /**
   * Calls that may wait for a thread; one more fails with `POOL_EXHAUSTED`.
   * @default 10_000
   */
  maxQueue?: number | undefined
  /**
   * The most sandboxes alive on each thread.
   * @default 32
   */
  maxInstances?: number | undefined
  /**
   * Sandboxes that each thread makes at its start and keeps when idle, at most `maxInstances`.
   * @default 0
   */
  minInstances?: number | undefined
  /**
   * Calls that may wait for a sandbox of their thread; one more fails with `POOL_EXHAUSTED`.
   * @default 1000
   */
  maxWaiting?: number | undefined
  /**
   * How long a call waits for a sandbox of its thread, in milliseconds, before it fails with `POOL_EXHAUSTED`.
   * @default 5000
   */
  acquireTimeoutMs?: number | undefined
  /**
   * Milliseconds after which an idle sandbox above `minInstances` is disposed.
   * @default 60_000
   */
  idleTimeoutMs?: number | undefined
  /**
   * Bytes of WebAssembly whose compiled modules are kept; the least recently used are compiled again.
   * @default 67_108_864 (64 MiB)
   */
  maxModuleBytes?: number | undefined
  /**
   * What each thread keeps of the handlers it has loaded (bytecode and images), in bytes; the least
   * recently used are dropped and loaded again when they are called.
   * @default 268_435_456 (256 MiB)
   */
  maxHandlerBytes?: number | undefined
  /**
   * What a handler may use of the engine's native stack, in bytes; at most 524,288. With `threads: 0`, Node's own stack of
   * 984 KiB may end first above 256 KiB: the call then ends with `STACK_OVERFLOW`, and the handler cannot catch it.
   * @default 262_144 (256 KiB)
   */
  maxStackBytes?: number | undefined
  /**
   * Milliseconds after the time limit at which a thread whose guest did not stop is ended.
   * @default 50
   */
  hardTimeoutGraceMs?: number | undefined
  /**
   * Directory of the compile cache's disk tier; `false` for none.
   * @default '.nexus-cache', or the environment variable `CACHE_DIR`
   */
  cacheDir?: string | false | undefined
  /**
   * Bytes that the disk tier may hold.
   * @default the compiler's own, or the environment variable `MAX_CACHE_SIZE_BYTES`
   */
  maxCacheSizeBytes?: number | undefined
  /** A compiler to share with others instead of one of its own; it is not closed on shutdown. */
  compiler?: HandlerCompiler | undefined
  /**
   * Told of threads that ended and, where the runtime has a compiler of its own, what that logs.
   * @default nothing is logged
   */
  logger?: Logger | undefined
  /** A collector to record into instead of one of its own. */
  metrics?: MetricsCollector | undefined
  /**
   * Where calls are kept that handlers suspend; without it `ctx.suspend` and `ctx.sleep` fail.
   * @default none
   */
  suspensions?: SuspensionOptions | undefined
  /**
   * Gives the addresses of a host that a guest fetches from; each is checked before it is connected to.
   * @default the resolver of the system, `dns.lookup`
   */
  resolveHost?: ResolveHost | undefined
}

/** How to end a `WasmRuntime`. */
export interface ShutdownOptions {
  /**
   * Milliseconds after which calls that have not ended fail as retryable.
   * @default each call's own time limit is what bounds the wait
   */
  drainTimeoutMs?: number | undefined
}

/** How suspended calls are kept. */
export interface SuspensionOptions {
  /** Such as a `FileSuspensionStore`. @default only calls that bring a store of their own can be suspended */
  store?: SuspensionStore | undefined
  /**
   * Encrypts their images, which hold what their handlers know, and refuses images that others wrote.
   * @default not encrypted
   */
  keys?: ImageKeyOptions | undefined
}

/** {@link CallOptions} with every default filled in. */
export interface ResolvedCallOptions extends CallLimits {
  /** What of a handler's state one call leaves to the next. */
  isolation: Isolation
}

export interface ResolvedRuntimeOptions extends ResolvedCallOptions {
  threads: number
  maxQueue: number
  maxInstances: number
  minInstances: number
  maxWaiting: number
  acquireTimeoutMs: number
  idleTimeoutMs: number
  maxModuleBytes: number
  maxHandlerBytes: number
  maxStackBytes: number
  hardTimeoutGraceMs: number
  cacheDir?: string | false | undefined
  maxCacheSizeBytes?: number | undefined
  compiler?: HandlerCompiler | undefined
  logger: Logger
  metrics?: MetricsCollector | undefined
  suspensions?: SuspensionOptions | undefined
  resolveHost: ResolveHost
}

const MiB = 1024 * 1024
/** Node's own limit of a timer. */
const milliseconds = z
  .number()
  .positive()
  .max(2 ** 31 - 1)
/** Below this the engine's own start state does not fit. */
const memory = z
  .int()
  .min(MiB)
  .max(2048 * MiB)
const bytes = z.int().positive()

const callShape = {
  timeoutMs: milliseconds.default(5000),
  memoryLimitBytes: memory.default(32 * MiB),
  maxHostCalls: z.int().min(0).default(1000),
  maxResultBytes: bytes.default(MiB),
  maxLogBytes: bytes.default(64 * 1024),
  maxFetches: z.int().min(0).default(50),
  maxRequestBytes: bytes.default(MiB),
  maxResponseBytes: bytes.default(4 * MiB),
  isolation: z.enum(['pristine', 'shared']).default('pristine'),
}

const runtimeShape = {
  ...callShape,
  threads: z.int().min(0).max(1024).default(Math.max(2, availableParallelism())),
  maxQueue: z.int().min(0).default(10_000),
  maxInstances: z.int().positive().default(32),
  minInstances: z.int().min(0).default(0),
  maxWaiting: z.int().min(0).default(1000),
  acquireTimeoutMs: z
    .number()
    .min(0)
    .max(2 ** 31 - 1)
    .default(5000),
  idleTimeoutMs: milliseconds.default(60_000),
  maxModuleBytes: bytes.default(64 * MiB),
  maxHandlerBytes: bytes.default(256 * MiB),
  maxStackBytes: z
    .int()
    .min(32 * 1024)
    .max(512 * 1024)
    .default(256 * 1024),
  hardTimeoutGraceMs: milliseconds.default(50),
  cacheDir: z.union([z.string(), z.literal(false)]).optional(),
  maxCacheSizeBytes: bytes.optional(),
  compiler: z.instanceof(HandlerCompiler).optional(),
  logger: loggerSchema,
  metrics: z.instanceof(MetricsCollector).optional(),
  suspensions: z
    .strictObject({
      store: z
        .custom<SuspensionStore>(
          (value) => typeof (value as SuspensionStore | undefined)?.claim === 'function',
          'expected a SuspensionStore',
        )
        .optional(),
      keys: imageKeySchema.optional(),
    })
    .optional(),
  resolveHost: z
    .custom<ResolveHost>((value) => typeof value === 'function')
    .default(() => resolveWithSystem),
}

const runtimeSchema = z
  .strictObject(runtimeShape)
  .refine(({ minInstances, maxInstances }) => minInstances <= maxInstances, {
    path: ['minInstances'],
    error: 'expected at most maxInstances',
  }) satisfies z.ZodType<ResolvedRuntimeOptions, WasmRuntimeOptions>

/** Checks {@link CallOptions}: what is left out stays open. */
export const callOptionsSchema = z.strictObject({
  timeoutMs: callShape.timeoutMs.unwrap().optional(),
  memoryLimitBytes: callShape.memoryLimitBytes.unwrap().optional(),
  maxHostCalls: callShape.maxHostCalls.unwrap().optional(),
  maxResultBytes: callShape.maxResultBytes.unwrap().optional(),
  maxLogBytes: callShape.maxLogBytes.unwrap().optional(),
  maxFetches: callShape.maxFetches.unwrap().optional(),
  maxRequestBytes: callShape.maxRequestBytes.unwrap().optional(),
  maxResponseBytes: callShape.maxResponseBytes.unwrap().optional(),
  isolation: callShape.isolation.unwrap().optional(),
}) satisfies z.ZodType<CallOptions, CallOptions>

const shutdownSchema = z.strictObject({
  drainTimeoutMs: z.number().min(0).or(z.literal(Number.POSITIVE_INFINITY)).optional(),
}) satisfies z.ZodType<ShutdownOptions, ShutdownOptions>

function invalid(what: string, error: z.ZodError): ExecutorError {
  return new ExecutorError('INVALID_OPTIONS', `Invalid ${what}:\n${z.prettifyError(error)}`, {
    cause: error,
  })
}

/** @throws {@link ExecutorError} `INVALID_OPTIONS` naming each wrong option */
export function resolveRuntimeOptions(options: WasmRuntimeOptions): ResolvedRuntimeOptions {
  const environment = process.env.HANDLER_TIMEOUT_MS
  const withEnvironment =
    options.timeoutMs === undefined && environment !== undefined && environment !== ''
      ? { ...options, timeoutMs: Number(environment) }
      : options
  const parsed = runtimeSchema.safeParse(withEnvironment)
  if (!parsed.success) throw invalid('WasmRuntime options', parsed.error)
  return parsed.data
}

/** @throws {@link ExecutorError} `INVALID_OPTIONS` naming each wrong option */
export function drainTimeoutOf(options: ShutdownOptions): number {
  const parsed = shutdownSchema.safeParse(options)
  if (!parsed.success) throw invalid('shutdown options', parsed.error)
  return parsed.data.drainTimeoutMs ?? Number.POSITIVE_INFINITY
}

/** @throws {@link ExecutorError} `INVALID_OPTIONS` naming each wrong option */
export function resolveCallOptions(
  given: number | CallOptions | undefined,
  defaults: ResolvedCallOptions,
): ResolvedCallOptions {
  if (given === undefined) return defaults
  const options = typeof given === 'number' ? { timeoutMs: given } : given
  const parsed = callOptionsSchema.safeParse(options)
  if (!parsed.success) throw invalid('call options', parsed.error)
  return {
    timeoutMs: options.timeoutMs ?? defaults.timeoutMs,
    memoryLimitBytes: options.memoryLimitBytes ?? defaults.memoryLimitBytes,
    maxHostCalls: options.maxHostCalls ?? defaults.maxHostCalls,
    maxResultBytes: options.maxResultBytes ?? defaults.maxResultBytes,
    maxLogBytes: options.maxLogBytes ?? defaults.maxLogBytes,
    maxFetches: options.maxFetches ?? defaults.maxFetches,
    maxRequestBytes: options.maxRequestBytes ?? defaults.maxRequestBytes,
    maxResponseBytes: options.maxResponseBytes ?? defaults.maxResponseBytes,
    isolation: options.isolation ?? defaults.isolation,
  }
}
