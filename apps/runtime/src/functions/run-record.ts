import type { JsonValue, LogLine, RunError } from '@nexus/client'
import type { ExecutionError, ExecutionResult, LogEntry } from '@nexus/executor'

/** What the bus keeps of an attempt beside its outcome. */
export type RunRecord = {
  durationMs: number
  logs: LogLine[]
  value?: JsonValue
  error?: RunError
}

/** The record of one execution. */
export function recordOf({ value, logs, error, metrics }: ExecutionResult): RunRecord {
  return {
    durationMs: metrics.durationUs / 1000,
    logs: logs.map(logLine),
    // The sandbox hands out copies made through JSON.
    ...(value === undefined ? {} : { value: value as JsonValue }),
    ...(error && { error: runError(error) }),
  }
}

function logLine({ level, message, time, fields }: LogEntry): LogLine {
  return {
    level,
    message,
    time: new Date(time).toISOString(),
    ...(fields === undefined ? {} : { fields: fields as JsonValue }),
  }
}

function runError({ code, name, message, stack, location, sourceLines }: ExecutionError): RunError {
  return {
    code,
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(location === undefined ? {} : { location }),
    ...(sourceLines === undefined ? {} : { sourceLines }),
  }
}
