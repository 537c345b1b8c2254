import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import { type Clock, type EventBus, subscribeSchema, systemClock } from '@nexus/event-bus'
import { callOptionsSchema, type WasmRuntime } from '@nexus/executor'
import { z } from 'zod'
import { FunctionsError } from './errors.js'
import type { FunctionDefinition } from './function-definition.js'
import { httpTriggerSchema } from './http/http-trigger.js'
import { meantIssues } from './meant-issues.js'
import type { Tracing } from './otel/tracing.js'
import type { FunctionPauseChange } from './pause/function-pause.js'
import type { FunctionAttempt } from './run/function-attempt.js'
import { scheduleSchema } from './schedule/schedule.js'
import { isWaitsGroup, waitsGroup } from './suspension/events/waits-group.js'
import { type ResumeLinkOptions, resumeLinkSchema } from './suspension/links/resume-links.js'

/** Options of {@link FunctionHost}. */
export interface FunctionHostOptions {
  /** Where events come from, and where emitted events go; it is not closed by the host. */
  bus: EventBus
  /** What runs the code; it is not closed by the host. */
  runtime: WasmRuntime
  /** Called after every attempt that ended. An error it throws is ignored. @default none */
  onAttempt?: ((attempt: FunctionAttempt) => void) | undefined
  /**
   * Largest record of an attempt (value, logs and error as JSON) that the bus keeps, in bytes. What does not fit is
   * cut, and the record says what: see `truncated` of {@link FunctionRun}.
   * @default 262_144 (256 KiB)
   */
  maxRecordBytes?: number | undefined
  /** Called when a function is paused or resumed, here or by another process of the bus. An error it throws is ignored. @default none */
  onPauseChange?: ((change: FunctionPauseChange) => void) | undefined
  /** Makes the links of `ctx.resumeUrl`. @default none: it fails */
  links?: ResumeLinkOptions | undefined
  /** Makes each run a span, with `createTracing` of `@nexus/functions/otel`. @default none */
  tracing?: Tracing | undefined
  /** Told what was compiled, how each attempt ended, and what was reloaded. @default nothing is logged */
  logger?: Logger | undefined
  /** What schedules take the time from. @default the machine's clock */
  clock?: Clock | undefined
}

export interface ResolvedHostOptions extends FunctionHostOptions {
  maxRecordBytes: number
  logger: Logger
  clock: Clock
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
const isFunction = (value: unknown): boolean => typeof value === 'function'

export const hostSchema = z.strictObject({
  bus: z.custom<EventBus>(isObject, 'expected an EventBus'),
  runtime: z.custom<WasmRuntime>(isObject, 'expected a WasmRuntime'),
  onAttempt: z
    .custom<(attempt: FunctionAttempt) => void>(isFunction, 'expected a function')
    .optional(),
  onPauseChange: z
    .custom<(change: FunctionPauseChange) => void>(isFunction, 'expected a function')
    .optional(),
  maxRecordBytes: z.int().min(4096).default(262_144),
  links: resumeLinkSchema.optional(),
  tracing: z.custom<Tracing>(isObject, 'expected the result of createTracing').optional(),
  logger: loggerSchema,
  clock: z.custom<Clock>(isObject, 'expected a clock').default(() => systemClock),
}) satisfies z.ZodType<ResolvedHostOptions, FunctionHostOptions>

/** What of a definition is handed to the bus: every subscribe option but the group, which is the name, and what happens on failure. */
export const subscriptionSchema = subscribeSchema.omit({ group: true, onDeadLetter: true })

const isCommand = (file: string | URL | undefined): boolean => String(file).endsWith('.wasm')
const strings = z.record(z.string(), z.string())

/** Checks a {@link FunctionDefinition}; what the bus and the executor take is checked by their own schemas. */
export const definitionSchema = z
  .strictObject({
    ...subscriptionSchema.shape,
    ...callOptionsSchema.shape,
    name: subscribeSchema.shape.group.refine(
      (name) => !isWaitsGroup(name) && waitsGroup(name).length <= 128,
      'expected at most 116 characters, which do not begin with nexus-waits-',
    ),
    events: z.union([z.string(), z.array(z.string())]).optional(),
    schedule: scheduleSchema.optional(),
    http: httpTriggerSchema.optional(),
    source: z.string().optional(),
    file: z.union([z.string().min(1), z.instanceof(URL)]).optional(),
    importRoot: z.string().min(1).optional(),
    compiled: z
      .custom<FunctionDefinition['compiled']>(isObject, 'expected a compiled handler')
      .optional(),
    schema: z.record(z.string(), z.unknown()).optional(),
    onFailure: subscribeSchema.shape.group.optional(),
    pauseAfterFailures: z.int().min(1).optional(),
    capabilities: z.array(z.string()).optional(),
    env: strings.optional(),
    secrets: strings.optional(),
    args: z.array(z.string()).optional(),
    files: strings.optional(),
  })
  .refine(
    ({ source, file, compiled }) =>
      source === undefined ? file !== undefined || compiled !== undefined : file === undefined,
    'expected source (the text), file (a path) or compiled',
  )
  .refine(
    ({ http, events, schedule, file }) =>
      http === undefined || (events === undefined && schedule === undefined && !isCommand(file)),
    'http: expected a module, and neither events nor a schedule: its handler gets requests',
  )
  .refine(
    ({ events, schedule, http }) => [events, schedule, http].some((one) => one !== undefined),
    'expected events, a schedule or http; write events: [] for a function that is only invoked, or called on failure',
  )

/** @throws FunctionsError `INVALID_OPTIONS` naming each wrong option */
export function parseOptions<Output>(
  schema: z.ZodType<Output>,
  options: unknown,
  owner: string,
): Output {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const problems = result.error.issues
    .flatMap(meantIssues)
    .map(({ path, message }) => `${path.length > 0 ? path.join('.') : 'options'}: ${message}`)
  throw new FunctionsError('INVALID_OPTIONS', `${owner}: ${problems.join('; ')}`, {
    cause: result.error,
  })
}
