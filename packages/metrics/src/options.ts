import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import { z } from 'zod'
import { MetricsError } from './errors.js'

/** A source of the current time in milliseconds; `Date` is one. */
export interface WallClock {
  /** The time in milliseconds since the epoch. */
  now(): number
}

/** Options of a {@link MetricsRegistry}. */
export interface MetricsRegistryOptions {
  /**
   * Label sets one metric may have. Updates of further ones are refused, and counted in
   * `nexus_metrics_refused_updates_total{metric}`.
   * @default 10_000
   */
  maxSeriesPerMetric?: number | undefined
  /**
   * How long a scrape waits for an asynchronous `collect`, in milliseconds. Its metrics are absent from
   * that scrape when it takes longer.
   * @default 5_000
   */
  collectTimeoutMs?: number | undefined
  /**
   * Told which metrics refuse updates and which cannot be read, each once.
   * @default nothing is logged
   */
  logger?: Logger | undefined
  /**
   * Where the time comes from, for expiry, summaries and exemplars.
   * @default Date
   */
  clock?: WallClock | undefined
}

/** Registry options with every default filled in. */
export interface ResolvedRegistryOptions {
  maxSeriesPerMetric: number
  collectTimeoutMs: number
  logger: Logger
  clock: WallClock
}

const clock = z.custom<WallClock>(
  (value) => typeof (value as Partial<WallClock> | null)?.now === 'function',
  'expected an object with a now() method, such as Date',
)

export const registryOptions = z.strictObject({
  maxSeriesPerMetric: z.number().int().positive().default(10_000),
  collectTimeoutMs: z.number().positive().default(5_000),
  logger: loggerSchema,
  clock: clock.default(() => Date),
}) satisfies z.ZodType<ResolvedRegistryOptions, MetricsRegistryOptions>

/**
 * Validates `value`, naming every wrong path in one message.
 *
 * @throws {@link MetricsError} `INVALID_OPTIONS`
 */
export function parseOptions<Output, Input>(
  what: string,
  schema: z.ZodType<Output, Input>,
  value: unknown,
): Output {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) =>
    issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message,
  )
  throw new MetricsError('INVALID_OPTIONS', `${what}: ${problems.join('; ')}`, { problems })
}
