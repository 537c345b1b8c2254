import type { JsonValue } from '@nexus/event-bus'
import type { ExecutionError, ExecutionResult, LogEntry, Suspension } from '@nexus/executor'

/** A line that a function logged. A type, like those it is stored with, so that it is JSON for the compiler too. */
export type LogLine = {
  /** How much it matters. */
  level: 'debug' | 'info' | 'warn' | 'error'
  /** The line itself. */
  message: string
  /** RFC 3339, UTC. */
  time: string
  /** What was logged with it. */
  fields?: JsonValue
}

/** Why the last attempt of a function failed. */
export type RunError = {
  /** Stable code, e.g. `TIMEOUT` or `EXECUTION_ERROR`. */
  code: string
  /** Name of what was thrown, e.g. `TypeError`. */
  name: string
  /** What the function threw, or why it was stopped. */
  message: string
  /** Stack of the function's own frames, in its own source. */
  stack?: string
  /** Where in the function's own source; lines and columns count from 1. */
  location?: { file: string; line: number; column: number }
  /** The lines around `location`, the line itself marked with `>`. */
  sourceLines?: string
}

/** A part of a record that was too large to be kept whole. */
export type TruncatedPart = 'value' | 'logs' | 'error'

/** What a run waits for. */
export type RunSuspension = {
  /** What to resume it by. */
  suspensionId: string
  /** The name that the function gave. */
  name: string
  /** RFC 3339, UTC: when it fails with `TIMEOUT`; absent where it never does. */
  expiresAt?: string
  /** When it was suspended, in RFC 3339, UTC. */
  suspendedAt: string
}

/** What the bus keeps of an attempt. */
export type RunRecord = {
  durationMs: number
  logs: LogLine[]
  value?: JsonValue
  error?: RunError
  truncated?: TruncatedPart[]
  suspension?: RunSuspension
}

/** The record of one execution, whole. */
export function recordOf(result: ExecutionResult): RunRecord {
  const { value, logs, error, metrics } = result
  return {
    durationMs: metrics.durationUs / 1000,
    logs: logs.map(logLine),
    // The sandbox hands out copies made through JSON.
    ...(value === undefined ? {} : { value: value as JsonValue }),
    ...(error && { error: runError(error) }),
    ...(result.status === 'suspended' && { suspension: runSuspension(result.suspension) }),
  }
}

function runSuspension({ suspensionId, name, expiresAt, suspendedAt }: Suspension): RunSuspension {
  return {
    suspensionId,
    name,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    suspendedAt: new Date(suspendedAt).toISOString(),
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
