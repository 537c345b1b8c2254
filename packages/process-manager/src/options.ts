import { z } from 'zod'
import { ProcessManagerError } from './errors.js'
import type { ProcessEngine } from './process-engine.js'

/** Options of `ProcessManager`. */
export interface ProcessManagerOptions {
  /**
   * What runs the services.
   * @default new NativeEngine()
   */
  engine?: ProcessEngine | undefined
  /**
   * How long a service may take to answer a health check that is made now.
   * @default 5000
   */
  healthTimeoutMs?: number | undefined
}

interface ResolvedOptions {
  engine: ProcessEngine | undefined
  healthTimeoutMs: number
}

const options = z.strictObject({
  engine: z
    .custom<ProcessEngine>(
      (value) => typeof (value as Partial<ProcessEngine> | null)?.start === 'function',
      'expected an engine, such as new NativeEngine()',
    )
    .optional(),
  healthTimeoutMs: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(5_000),
}) satisfies z.ZodType<Partial<ResolvedOptions>, ProcessManagerOptions>

/** @throws ProcessManagerError `INVALID_OPTIONS` */
export function resolveOptions(input: ProcessManagerOptions): ResolvedOptions {
  const result = options.safeParse(input)
  if (result.success)
    return { engine: result.data.engine, healthTimeoutMs: result.data.healthTimeoutMs }
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  )
  throw new ProcessManagerError('INVALID_OPTIONS', `ProcessManager: ${problems.join('; ')}.`, {
    details: { problems },
  })
}
