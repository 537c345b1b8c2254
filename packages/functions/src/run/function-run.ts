import type { Delivery, DeliveryStatus, JsonValue } from '@nexus/event-bus'
import type { LogLine, RunError, RunRecord, RunSuspension, TruncatedPart } from './run-record.js'

/** What one function did with an event. */
export interface FunctionRun {
  /** Name of the function. */
  function: string
  /** `dead-lettered` is final: every attempt failed. `suspended`: it waits, and neither runs nor has ended. */
  status: DeliveryStatus
  /** Attempts since the event was published or replayed. */
  attempts: number
  /** How often the event was replayed to this function. */
  replays: number
  /** RFC 3339, UTC; when the status changed last. */
  updatedAt: string
  /** RFC 3339, UTC; when the next attempt is due, while `retrying`. */
  nextAttemptAt?: string
  /** Time of the last attempt inside the sandbox, in milliseconds. */
  durationMs?: number
  /** What the handler returned. */
  value?: JsonValue
  /** Log lines of the last attempt. */
  logs: LogLine[]
  /** Why the last attempt failed; absent when it succeeded. */
  error?: RunError
  /** Parts that were too large to be kept whole; absent when nothing was cut. */
  truncated?: TruncatedPart[]
  /** How often it was suspended and went on; absent where it never was. */
  resumes?: number
  /** What it waits for, while `suspended`. */
  suspension?: RunSuspension
}

/** The run that a delivery is, with what its function left there. */
export function functionRun(delivery: Delivery): FunctionRun {
  const { group, status, attempts, replays, updatedAt, nextAttemptAt } = delivery
  const record = delivery.record as Partial<RunRecord> | undefined
  const error = record?.error ?? failureOutside(delivery)
  return {
    function: group,
    status,
    attempts,
    replays,
    updatedAt,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    ...(record?.durationMs === undefined ? {} : { durationMs: record.durationMs }),
    ...(record?.value === undefined ? {} : { value: record.value }),
    logs: record?.logs ?? [],
    ...(error && { error }),
    ...(record?.truncated && { truncated: record.truncated }),
    ...(record?.suspension && { suspension: record.suspension }),
  }
}

/** A failure that is not the function's own: the sandbox could not run it. */
function failureOutside({ error }: Delivery): RunError | undefined {
  return error && { code: error.code ?? 'INTERNAL_ERROR', name: 'Error', message: error.message }
}
