import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import { z } from 'zod'
import { MetricsCache } from './metrics-cache/metrics-cache.js'
import type { ProcessEngine } from './process-engine.js'

/** Options of `ProcessManager`. */
export interface ProcessManagerOptions {
  /**
   * What runs the services; closed with the manager.
   * @default new NativeEngine()
   */
  engine?: ProcessEngine | undefined
  /**
   * Keeps what was just listed and measured; closed with the manager.
   * @default new MetricsCache()
   */
  cache?: MetricsCache | undefined
  /**
   * How long a service may take to answer a health check that is made now.
   * @default 5000
   */
  healthTimeoutMs?: number | undefined
  /**
   * Told of each command that was done or failed, and what the engine warns of.
   * @default nothing is logged
   */
  logger?: Logger | undefined
}

export interface ResolvedProcessManagerOptions {
  engine?: ProcessEngine | undefined
  cache?: MetricsCache | undefined
  healthTimeoutMs: number
  logger: Logger
}

const isEngine = (value: unknown) =>
  typeof (value as Partial<ProcessEngine> | null)?.start === 'function'

export const processManagerSchema = z.strictObject({
  engine: z
    .custom<ProcessEngine>(isEngine, 'expected an engine, such as new NativeEngine()')
    .optional(),
  cache: z.instanceof(MetricsCache).optional(),
  healthTimeoutMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(5_000),
  logger: loggerSchema,
}) satisfies z.ZodType<ResolvedProcessManagerOptions, ProcessManagerOptions>
