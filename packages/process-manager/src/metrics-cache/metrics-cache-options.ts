import { z } from 'zod'

/** A cache outside this process, for several processes or hosts that ask for the same. */
export interface SharedMetricsCache {
  /** A stored value, and for how much longer it holds; null when there is none. */
  get(key: string): Promise<{ value: unknown; remainingMs: number } | null>
  /** Stores a value for `ttlMs`. */
  set(key: string, value: unknown, ttlMs: number): Promise<void>
  /** Forgets these values. */
  delete(keys: readonly string[]): Promise<void>
  /** Closes what it opened. */
  close(): Promise<void>
}

/** Options of `MetricsCache`. */
export interface MetricsCacheOptions {
  /** For how long figures are taken from the cache. @default 1000 */
  ttlMs?: number | undefined
  /** For how long states are taken from the cache. @default 500 */
  statusTtlMs?: number | undefined
  /** Entries kept of each kind; the least recently used go first. @default 1000 */
  maxEntries?: number | undefined
  /** Asked before the engine is; closed with the cache. @default none */
  shared?: SharedMetricsCache | undefined
  /** How long the shared tier is not asked after it failed, in milliseconds. @default 1000 */
  sharedRetryMs?: number | undefined
  /** Milliseconds that only ever grow. @default performance.now */
  now?: (() => number) | undefined
}

export interface ResolvedMetricsCacheOptions {
  ttlMs: number
  statusTtlMs: number
  maxEntries: number
  shared?: SharedMetricsCache | undefined
  sharedRetryMs: number
  now: () => number
}

const isTier = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'get' in value && 'set' in value
const isFunction = (value: unknown): boolean => typeof value === 'function'

export const metricsCacheSchema = z.strictObject({
  ttlMs: z.number().min(1).default(1000),
  statusTtlMs: z.number().min(1).default(500),
  maxEntries: z.int().min(1).default(1000),
  shared: z
    .custom<SharedMetricsCache>(isTier, 'expected a shared tier such as RedisTier')
    .optional(),
  sharedRetryMs: z.number().min(0).default(1000),
  now: z
    .custom<() => number>(isFunction, 'expected a function')
    .default(() => () => performance.now()),
}) satisfies z.ZodType<ResolvedMetricsCacheOptions, MetricsCacheOptions>
