import { z } from 'zod'
import { PerformanceError } from './errors.js'

/** The part of `Date` that tells the time. */
type Now = Pick<DateConstructor, 'now'>

/** Options of {@link createPerformanceClient}. Environment variables override them. */
export interface PerformanceClientOptions {
  /**
   * Whether profiles may be taken. `PERFORMANCE_ENABLED` sets this, `enableMetrics` and
   * `enableOptimizations` together.
   * @default true
   */
  enableProfiling?: boolean | undefined
  /**
   * How often a snapshot is taken and the optimizations are looked at, in milliseconds; 0 for never.
   * `PERFORMANCE_PROFILE_INTERVAL` overrides it.
   * @default 60_000
   */
  profileIntervalMs?: number | undefined
  /**
   * Whether optimizations are looked for.
   * @default true
   */
  enableOptimizations?: boolean | undefined
  /**
   * Whether optimizations that set a registered knob are applied without being asked.
   * @default false
   */
  autoOptimize?: boolean | undefined
  /**
   * Whether metrics are recorded.
   * @default true
   */
  enableMetrics?: boolean | undefined
  /**
   * How long metrics and snapshots are kept, in milliseconds. `PERFORMANCE_RETENTION` overrides it.
   * @default 3_600_000
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
}

const clock = z.custom<Now>(
  (value) => typeof (value as Partial<Now> | null)?.now === 'function',
  'expected an object with a now() method, such as Date',
)

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
  clock: clock.default(() => Date),
  env: z.record(z.string(), z.string().optional()).optional(),
}) satisfies z.ZodType<PerformanceConfig & { clock: Now }, PerformanceClientOptions>

/** @throws {@link PerformanceError} `INVALID_OPTIONS` */
export function resolveOptions(options: PerformanceClientOptions): {
  config: PerformanceConfig
  clock: Now
} {
  const { clock, env, ...config } = parse('createPerformanceClient', optionsSchema, options)
  return { config: { ...config, ...fromEnvironment(env ?? process.env) }, clock }
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
    set.metricsRetentionMs = parseNumber(
      'PERFORMANCE_RETENTION',
      metricsRetentionMs,
      PERFORMANCE_RETENTION,
    )
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
