import type { ExecutionMetrics } from '@nexus/executor'
import type { LogLine, RunError } from './run-record.js'

/** An attempt of a function that ended. */
export interface FunctionAttempt {
  function: string
  event: { id: string; source: string; type: string }
  /** 1 for the first attempt. */
  attempt: number
  status: 'success' | 'error'
  durationMs: number
  logs: readonly LogLine[]
  error?: RunError
  /** What it cost; undefined when the function did not run, because the event does not fit its schema. */
  metrics?: ExecutionMetrics
}
