import { Cron } from 'croner'
import { z } from 'zod'

/** When a function runs by the clock. */
export interface Schedule {
  /**
   * Minute, hour, day of the month, month and day of the week, such as `0 9 * * 1-5`; with six parts the first one is the
   * second. Also `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
   */
  cron: string
  /** A time zone of the IANA database, such as `Europe/Berlin`. @default 'UTC' */
  timeZone?: string | undefined
  /**
   * What happens to firings that were missed by more than a minute, because no runtime ran or the clock jumped: nothing, one
   * event for the last of them, or one event for each.
   * @default 'skip'
   */
  missed?: 'skip' | 'once' | 'all' | undefined
  /** With `missed: all` the most events that are caught up at once: the last ones. @default 100 */
  maxMissed?: number | undefined
}

/** {@link Schedule} with defaults filled in. */
export interface ResolvedSchedule {
  /** See {@link Schedule}. */
  cron: string
  /** Name of an IANA time zone. */
  timeZone: string
  /** What happens to firings that were missed. */
  missed: 'skip' | 'once' | 'all'
  /** Most events that are caught up at once. */
  maxMissed: number
}

const timeZone = z.string().refine(isTimeZone, {
  error: 'expected a time zone of the IANA database, such as Europe/Berlin',
  abort: true,
})

const fields = z
  .strictObject({
    cron: z.string().max(256).meta({
      description: 'Minute, hour, day of the month, month, day of the week, e.g. 0 9 * * 1-5.',
    }),
    timeZone: timeZone.default('UTC').meta({ description: 'Such as Europe/Berlin.' }),
    missed: z.enum(['skip', 'once', 'all']).default('skip').meta({
      description: 'What happens to firings that no runtime made: nothing, the last one, or each.',
    }),
    maxMissed: z.int().min(1).max(10_000).default(100).meta({
      description: 'With missed: all, the most firings that are caught up at once.',
    }),
  })
  .superRefine(({ cron, timeZone }, context) => {
    const problem = problemOf(cron, timeZone)
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', path: ['cron'], message: problem })
    }
  })

/** Checks a schedule, which may be its cron expression alone. */
export const scheduleSchema = z.union([
  z
    .string()
    .max(256)
    .superRefine((cron, context) => {
      const problem = problemOf(cron, 'UTC')
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
    }),
  fields,
]) satisfies z.ZodType<string | ResolvedSchedule, string | Schedule>

/** A schedule that was checked, with its defaults. */
export function resolveSchedule(schedule: string | Schedule): ResolvedSchedule {
  return fields.parse(typeof schedule === 'string' ? { cron: schedule } : schedule)
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function problemOf(expression: string, timeZone: string): string | undefined {
  try {
    if (parseCron(expression, timeZone).nextRun() !== null) return undefined
    return `${expression} never fires`
  } catch (error) {
    const why = (error as Error).message.replace(/^\w+: /, '')
    return `expected a cron expression such as "0 9 * * 1-5": ${why}`
  }
}

/** The expression as croner reads it, without a timer of its own. */
export function parseCron(expression: string, timezone: string): Cron {
  return new Cron(expression, { timezone, mode: '5-or-6-parts', paused: true })
}
