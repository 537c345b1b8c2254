import type { FunctionDefinition } from '../function-definition.js'
import { HTTP_METHODS, type HttpTrigger } from '../http/http-trigger.js'
import type { FunctionPause } from '../pause/function-pause.js'
import { type ResolvedSchedule, resolveSchedule } from '../schedule/schedule.js'

/** A function that runs: what starts it, and what it did in this process since it was bound. */
export interface FunctionStatus {
  /** Name of the function. */
  name: string
  /** Event types it runs for. */
  events: string[]
  /** When it runs by the clock; absent where it has no schedule. */
  schedule?: ResolvedSchedule & {
    /** RFC 3339, UTC: the next firing; absent when there is none. */
    nextAt?: string
  }
  /** Requests that it answers; absent where it has no `http`. */
  http?: { method: string[]; path: string; auth: 'token' | 'none' }
  /** Present while it is paused. */
  paused?: FunctionPause
  /** Calls that run. */
  running: number
  /** Attempts that succeeded. */
  succeeded: number
  /** Attempts that failed. */
  failed: number
  /** Events that it gave up on. */
  deadLettered: number
}

type FunctionCounts = Pick<FunctionStatus, 'running' | 'succeeded' | 'failed' | 'deadLettered'>

/** What an operator sees of a function. */
export function functionStatus(
  { name, events = [], schedule, http }: FunctionDefinition,
  { running, succeeded, failed, deadLettered }: FunctionCounts,
  nextAt: Date | undefined,
  paused: FunctionPause | undefined,
): FunctionStatus {
  return {
    name,
    events: [events].flat(),
    ...(schedule !== undefined && {
      schedule: { ...resolveSchedule(schedule), ...(nextAt && { nextAt: nextAt.toISOString() }) },
    }),
    ...(http !== undefined && { http: httpStatus(http) }),
    ...(paused && { paused }),
    running,
    succeeded,
    failed,
    deadLettered,
  }
}

function httpStatus({ method, path, auth = 'token' }: HttpTrigger) {
  return { method: [method ?? HTTP_METHODS].flat(), path, auth }
}
