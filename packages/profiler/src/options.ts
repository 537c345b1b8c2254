import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import { z } from 'zod'
import { PerformanceError } from './errors.js'
import type { ProfileTracer } from './profiling/recorder.js'

/** The part of `Date` that tells the time. */
type Now = Pick<DateConstructor, 'now'>

/** Options of {@link createPerformanceClient}. An option wins over its environment variable, which wins over the default. */
export interface PerformanceClientOptions {
  /**
   * Whether profiles may be taken.
   * @default the environment variable `PERFORMANCE_ENABLED`, else true
   */
  enableProfiling?: boolean | undefined
  /**
   * How often a snapshot is taken and the optimizations are looked at, in milliseconds; 0 for never.
   * @default the environment variable `PERFORMANCE_PROFILE_INTERVAL`, in milliseconds, else 60_000
   */
  profileIntervalMs?: number | undefined
  /**
   * Whether optimizations are looked for.
   * @default the environment variable `PERFORMANCE_ENABLED`, else true
   */
  enableOptimizations?: boolean | undefined
  /**
   * Whether optimizations that set a registered knob are applied without being asked.
   * @default false
   */
  autoOptimize?: boolean | undefined
  /**
   * Whether metrics are recorded.
   * @default the environment variable `PERFORMANCE_ENABLED`, else true
   */
  enableMetrics?: boolean | undefined
  /**
   * How long metrics and snapshots are kept, in milliseconds.
   * @default the environment variable `PERFORMANCE_RETENTION`, in seconds, else 3_600_000 (an hour)
   */
  metricsRetentionMs?: number | undefined
  /**
   * Keep at most this many metrics; the oldest are removed.
   * @default 10_000
   */
  maxMetrics?: number | undefined
  /**
   * End a profile after this time, in milliseconds, if it was not stopped before: its samples fill the memory.
   * @default 300_000
   */
  maxProfilingMs?: number | undefined
  /**
   * Directories whose disks are looked at, by the name that they have in snapshots and findings.
   * @default { cwd: process.cwd() }
   */
  disks?: Readonly<Record<string, string>> | undefined
  /**
   * How often what only `systeminformation` tells is read in the background (file systems, temperature, the busiest
   * programs), in milliseconds, at least 10_000; 0 for never. With the snapshots that are taken by interval.
   * @default 60_000
   */
  hostIntervalMs?: number | undefined
  /**
   * Told what was found, applied and undone, and what failed.
   * @default nothing is logged
   */
  logger?: Logger | undefined
  /**
   * Makes a span `profile` of each profile, such as `trace.getTracer('orders')` of `@opentelemetry/api`.
   * @default no spans
   */
  tracer?: ProfileTracer | undefined
  /**
   * Where the time comes from.
   * @default Date
   */
  clock?: Pick<DateConstructor, 'now'> | undefined
  /**
   * Where the environment variables come from.
   * @default process.env
   */
  env?: Readonly<Record<string, string | undefined>> | undefined
}

/** Options with every default filled in and the environment applied. */
export interface PerformanceConfig {
  /** Whether profiles may be taken. */
  enableProfiling: boolean
  /** How often a snapshot is taken, in milliseconds; 0 for never. */
  profileIntervalMs: number
  /** Whether optimizations are looked for. */
  enableOptimizations: boolean
  /** Whether optimizations that set a registered knob are applied without being asked. */
  autoOptimize: boolean
  /** Whether metrics are recorded. */
  enableMetrics: boolean
  /** How long metrics and snapshots are kept, in milliseconds. */
  metricsRetentionMs: number
  /** How many metrics are kept at most. */
  maxMetrics: number
  /** How long a profile may take, in milliseconds. */
  maxProfilingMs: number
  /** Directories whose disks are looked at, by name. */
  disks: Readonly<Record<string, string>>
  /** How often `systeminformation` is asked, in milliseconds; 0 for never. */
  hostIntervalMs: number
}

const clock = z.custom<Now>(
  (value) => typeof (value as Partial<Now> | null)?.now === 'function',
  'expected an object with a now() method, such as Date',
)

const tracer = z.custom<ProfileTracer>(
  (value) => typeof (value as Partial<ProfileTracer> | null)?.startSpan === 'function',
  'expected a tracer with a startSpan() method',
)

/** What a client works with, beside its settings. */
interface Parts {
  logger: Logger
  tracer?: ProfileTracer | undefined
  clock: Now
}

/** The longest time a timer of Node can be set to. */
const MAX_TIMER_MS = 2 ** 31 - 1

const optionsSchema = z.strictObject({
  enableProfiling: z.boolean().default(true),
  profileIntervalMs: z.number().min(0).max(MAX_TIMER_MS).default(60_000),
  enableOptimizations: z.boolean().default(true),
  autoOptimize: z.boolean().default(false),
  enableMetrics: z.boolean().default(true),
  metricsRetentionMs: z.number().positive().default(3_600_000),
  maxMetrics: z.number().int().positive().default(10_000),
  maxProfilingMs: z.number().positive().max(MAX_TIMER_MS).default(300_000),
  disks: z.record(z.string(), z.string().min(1)).default(() => ({ cwd: process.cwd() })),
  hostIntervalMs: z
    .number()
    .max(MAX_TIMER_MS)
    .refine((value) => value === 0 || value >= 10_000, 'expected 0 or at least 10000')
    .default(60_000),
  logger: loggerSchema,
  tracer: tracer.optional(),
  clock: clock.default(() => Date),
  env: z.record(z.string(), z.string().optional()).optional(),
}) satisfies z.ZodType<PerformanceConfig & Parts, PerformanceClientOptions>

/** @throws {@link PerformanceError} `INVALID_OPTIONS` */
export function resolveOptions(
  options: PerformanceClientOptions,
): { config: PerformanceConfig } & Parts {
  const given = definedOnly(options)
  const fromEnv = fromEnvironment(options.env ?? process.env)
  const resolved = parse('createPerformanceClient', optionsSchema, { ...fromEnv, ...given })
  const { clock, logger, tracer, env: _, ...config } = resolved
  return { config, logger, tracer, clock }
}

/** An option given as `undefined` counts as not given. */
function definedOnly(options: PerformanceClientOptions): PerformanceClientOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>) {
  const set: Partial<PerformanceConfig> = {}
  const { PERFORMANCE_ENABLED, PERFORMANCE_PROFILE_INTERVAL, PERFORMANCE_RETENTION } = env
  if (PERFORMANCE_ENABLED) {
    const enabled = parse('PERFORMANCE_ENABLED', z.stringbool(), PERFORMANCE_ENABLED)
    set.enableProfiling = set.enableMetrics = set.enableOptimizations = enabled
  }
  if (PERFORMANCE_PROFILE_INTERVAL) {
    const { profileIntervalMs } = optionsSchema.shape
    set.profileIntervalMs = parseNumber(
      'PERFORMANCE_PROFILE_INTERVAL',
      profileIntervalMs,
      PERFORMANCE_PROFILE_INTERVAL,
    )
  }
  if (PERFORMANCE_RETENTION) {
    const { metricsRetentionMs } = optionsSchema.shape
    const seconds = parseNumber('PERFORMANCE_RETENTION', metricsRetentionMs, PERFORMANCE_RETENTION)
    set.metricsRetentionMs = seconds * 1000
  }
  return set
}

function parseNumber(
  variable: string,
  schema: z.ZodType<number, number | undefined>,
  text: string,
) {
  return parse(`${variable}=${text}`, schema, Number(text))
}

/** Validates `value`, naming every wrong path in one message. */
export function parse<Output, Input>(
  what: string,
  schema: z.ZodType<Output, Input>,
  value: unknown,
): Output {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) =>
    issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message,
  )
  throw new PerformanceError('INVALID_OPTIONS', `${what}: ${problems.join('; ')}`, { problems })
}
