import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import { z } from 'zod'
import { PoolError } from './errors.js'

/** Where the pool reads the time and sets its timers; tests inject their own. */
export interface PoolClock {
  /** Milliseconds on a clock that never goes back. */
  now(): number
  /**
   * Calls `callback` once after `delayMs` milliseconds.
   *
   * @param isAwaited whether a caller waits for it: then the timer has to keep the process alive
   */
  setTimeout(callback: () => void, delayMs: number, isAwaited: boolean): unknown
  /** Ends what `setTimeout` started. */
  clearTimeout(timer: unknown): void
}

/** Options of an `InstancePool`. */
export interface InstancePoolOptions {
  /**
   * Instances kept even when idle; {@link InstancePool.prewarm} creates them.
   * @default 0
   */
  minInstances?: number | undefined
  /**
   * The most instances alive at once: active, suspended and idle together.
   * @default 32
   */
  maxInstances?: number | undefined
  /**
   * The most callers that may wait for an instance; one more is refused with `POOL_EXHAUSTED`.
   * @default 1000
   */
  maxWaiting?: number | undefined
  /**
   * How long a caller waits for an instance, in milliseconds, before `POOL_EXHAUSTED`.
   * @default 5000
   */
  acquireTimeoutMs?: number | undefined
  /**
   * Uses after which an instance is replaced by a new one.
   * @default 1_000_000
   */
  maxUses?: number | undefined
  /**
   * Milliseconds after which an idle instance above `minInstances` is disposed.
   * @default 60_000
   */
  idleTimeoutMs?: number | undefined
  /**
   * Told why instances are discarded, and of callers that get none.
   * @default nothing is logged
   */
  logger?: Logger | undefined
  /**
   * Where the pool reads the time and sets its timers.
   * @default the monotonic clock and timers of Node; only a caller that waits keeps the process alive
   */
  clock?: PoolClock | undefined
}

/** The options with every default filled in. */
export type ResolvedInstancePoolOptions = {
  [Name in keyof InstancePoolOptions]-?: NonNullable<InstancePoolOptions[Name]>
}

export const systemClock: PoolClock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs, isAwaited) => {
    const timer = setTimeout(callback, delayMs)
    return isAwaited ? timer : timer.unref()
  },
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

const schema = z
  .strictObject({
    minInstances: z.int().min(0).default(0),
    maxInstances: z.int().min(1).default(32),
    maxWaiting: z.int().min(0).default(1000),
    acquireTimeoutMs: z.number().min(0).default(5000),
    maxUses: z.int().min(1).default(1_000_000),
    idleTimeoutMs: z.number().min(0).default(60_000),
    logger: loggerSchema,
    clock: z
      .custom<PoolClock>((value) => typeof (value as PoolClock | undefined)?.now === 'function')
      .default(systemClock),
  })
  .refine((options) => options.minInstances <= options.maxInstances, {
    path: ['minInstances'],
    error: 'expected at most maxInstances',
  }) satisfies z.ZodType<ResolvedInstancePoolOptions, InstancePoolOptions>

/** @throws {@link PoolError} `INVALID_OPTIONS` naming each wrong option */
export function resolveOptions(options: InstancePoolOptions): ResolvedInstancePoolOptions {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  throw new PoolError(
    'INVALID_OPTIONS',
    `Invalid InstancePool options:\n${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}
