import type { ExecutionMetrics } from '@nexus/executor'
import type { LogLine, RunError } from './run-record.js'

/** An attempt of a function that ended. */
export interface FunctionAttempt {
  /** Name of the function. */
  function: string
  /** The event that it ran for. */
  event: { id: string; source: string; type: string }
  /** 1 for the first attempt. */
  attempt: number
  /** How the attempt ended. */
  status: 'success' | 'suspended' | 'error'
  /** Time of the call in the sandbox, in milliseconds. */
  durationMs: number
  /** The lines that the function logged. */
  logs: readonly LogLine[]
  /** Why it failed; undefined when it succeeded. */
  error?: RunError
  /** What it cost; undefined when the function did not run, because the event does not fit its schema. */
  metrics?: ExecutionMetrics
}
