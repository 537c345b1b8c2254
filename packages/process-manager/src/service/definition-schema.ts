import { isAbsolute } from 'node:path'
import { Cron } from 'croner'
import { z } from 'zod'
import { ProcessManagerError } from '../errors.js'
import type { HealthCheck, RestartRule, ServiceDefinition } from './service.js'
import { serviceNamePattern } from './service-name.js'

/** The longest time a timer of Node can be set to. */
const MAX_TIMER_MS = 2 ** 31 - 1

const milliseconds = z.number().int().min(0).max(MAX_TIMER_MS)
const port = z.number().int().min(1).max(65_535)
const path = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), 'must not hold a NUL')
  .refine(isAbsolute, 'expected an absolute path: resolve it against the directory you mean')
/** What Linux gives a program in one argument or variable. */
const MAX_TEXT = 131_072
const withoutNull = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => !text.includes('\0'), 'must not hold a NUL')

/** How many processes a service may have. */
export const instanceCount = z.number().int().min(1).max(256)

const name = z
  .string()
  .regex(
    serviceNamePattern,
    'expected 1 to 64 of letters, digits, ".", "_" and "-", beginning with a letter or a digit',
  )

const health = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(4096)
      .optional(),
    port: port.optional(),
    ipc: z.boolean().optional(),
    intervalMs: milliseconds.min(10).optional(),
    timeoutMs: milliseconds.min(1).optional(),
    failures: z.number().int().min(1).optional(),
  })
  .refine(
    ({ url, port, ipc }) =>
      [url, port, ipc || undefined].filter((way) => way !== undefined).length === 1,
    'expected exactly one of url, port and ipc: true',
  ) satisfies z.ZodType<HealthCheck>

const restart = z.strictObject({
  maxRestarts: z.number().int().min(0).optional(),
  minUptimeMs: milliseconds.optional(),
  baseDelayMs: milliseconds.optional(),
  maxDelayMs: milliseconds.optional(),
}) satisfies z.ZodType<RestartRule>

const cron = z
  .string()
  .max(1_000)
  .superRefine((text, context) => {
    try {
      new Cron(text, { paused: true }).stop()
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: `no cron expression: ${(error as Error).message}`,
      })
    }
  })

const definition = z.strictObject({
  name,
  script: path,
  args: z.array(withoutNull).max(10_000).optional(),
  cwd: path.optional(),
  env: z
    .record(
      z
        .string()
        .max(4096)
        .regex(/^[^=\0]+$/, 'a name must not be empty or hold "="'),
      withoutNull,
    )
    .optional(),
  port: port.optional(),
  instances: instanceCount.optional(),
  lazyInit: z.boolean().optional(),
  maxMemoryBytes: z.number().int().min(1).optional(),
  maxCpuPercent: z.number().min(1).max(100_000).optional(),
  health: health.optional(),
  autoRestart: z.boolean().optional(),
  restart: restart.optional(),
  cronRestart: cron.optional(),
  watch: z.array(path).max(1_000).optional(),
  stopTimeoutMs: milliseconds.optional(),
}) satisfies z.ZodType<ServiceDefinition>

/** @throws ProcessManagerError `INVALID_DEFINITION`, naming everything that is wrong and no value of `env` */
export function parseDefinition(input: unknown): ServiceDefinition {
  const result = definition.safeParse(input)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  )
  throw new ProcessManagerError(
    'INVALID_DEFINITION',
    `The definition of a service is not right. ${problems.join('; ')}.`,
    { details: { problems } },
  )
}

/** @throws ProcessManagerError `INVALID_DEFINITION` */
export function parseName(input: unknown): string {
  const result = name.safeParse(input)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ message }) => message)
  const shown = typeof input === 'string' ? JSON.stringify(input.slice(0, 200)) : typeof input
  throw new ProcessManagerError(
    'INVALID_DEFINITION',
    `${shown} is no name of a service: ${problems.join('; ')}.`,
    { details: { name: typeof input === 'string' ? input.slice(0, 200) : null, problems } },
  )
}
