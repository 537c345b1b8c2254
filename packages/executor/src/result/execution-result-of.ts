import { describeThrown } from '@nexus/diagnostics'
import type { CallLimits, RawEvent, RawLog, RawResult } from '../call/call.js'
import { engineFailure } from '../call/guest-failure.js'
import type { CalledCode } from '../compile/prepared-handler.js'
import { describeFailure } from './error-report.js'
import type {
  EmittedEvent,
  ExecutionError,
  ExecutionReport,
  ExecutionResult,
  FailedExecution,
  LogEntry,
} from './execution-result.js'
import { logLimitNotice } from './log-limit.js'
import { type Redact, redactor } from './redactor.js'

/** A string of JSON, a key among them. */
const JSON_STRING = /"(?:[^"\\]|\\.)*"/g

/**
 * What the caller is told of a call, without its secrets. Never throws: a result that cannot be made, or from which the
 * secrets cannot be taken, is an `INTERNAL_ERROR` that shows nothing of it.
 *
 * @param secrets taken out of the logs and the error; the value and the events are the handler's to choose
 */
export function executionResultOf<Value>(
  handler: CalledCode,
  raw: RawResult,
  limits: Pick<CallLimits, 'maxLogBytes'>,
  secrets: Readonly<Record<string, string>> | undefined,
): ExecutionResult<Value> {
  try {
    return parsedResult<Value>(handler, raw, limits, secrets)
  } catch (error) {
    const what = describeThrown(error).name
    const failure = engineFailure(`The result of the call cannot be read: ${what}`)
    return parsedResult(handler, { ...raw, failure, valueJson: '', events: [], logs: [] }, limits)
  }
}

function parsedResult<Value>(
  handler: CalledCode,
  raw: RawResult,
  { maxLogBytes }: Pick<CallLimits, 'maxLogBytes'>,
  secrets?: Readonly<Record<string, string>>,
): ExecutionResult<Value> {
  const redact = redactor(secrets)
  const { failure, valueJson, events, logs } = raw
  const report: ExecutionReport = {
    events: events.length === 0 ? [] : events.map(parseEvent),
    logs: secrets ? redactLogs(logs, redact, maxLogBytes) : logs.map(parseLog),
    metrics: {
      durationUs: raw.durationUs,
      queueWaitUs: raw.queueWaitUs,
      compileTimeUs: handler.compileTimeUs,
      cacheHit: handler.cacheHit,
      cacheTier: handler.cacheTier,
      memoryUsedBytes: raw.memoryUsedBytes,
      memoryPeakBytes: raw.memoryPeakBytes,
      hostCalls: raw.hostCalls,
    },
  }
  if (failure) {
    return { status: 'error', error: describeFailure(failure, handler, redact), ...report }
  }
  // What returned nothing has no `value`, which reads as undefined.
  const returned = valueJson === '' ? {} : { value: JSON.parse(valueJson) }
  return { status: 'success', ...(returned as { value: Value }), ...report }
}

/** What the caller is told when there is nothing to run. */
export function resultOfNothing(error: ExecutionError): FailedExecution {
  return {
    status: 'error',
    events: [],
    logs: [],
    error,
    metrics: {
      durationUs: 0,
      queueWaitUs: 0,
      compileTimeUs: 0,
      cacheHit: false,
      cacheTier: 'none',
      memoryUsedBytes: 0,
      memoryPeakBytes: 0,
      hostCalls: 0,
    },
  }
}

function parseEvent({ type, dataJson, attributesJson }: RawEvent): EmittedEvent {
  const event: EmittedEvent = { type, data: JSON.parse(dataJson) }
  const attributes = JSON.parse(attributesJson) as Record<string, unknown> | null
  if (attributes !== null && typeof attributes === 'object') event.attributes = attributes
  return event
}

function parseLog({ level, message, time, fieldsJson }: RawLog): LogEntry {
  const entry: LogEntry = { level, message, time }
  if (fieldsJson !== undefined) entry.fields = JSON.parse(fieldsJson)
  return entry
}

/** `[secret NAME]` may be longer than what it replaces: what that adds may not take the log over its limit. */
function redactLogs(logs: readonly RawLog[], redact: Redact, maxLogBytes: number): LogEntry[] {
  const redacted = logs.map((log) => redactLog(log, redact))
  // A log that was full already ends with a notice, which its limit does not count.
  let room = Math.max(maxLogBytes, bytesOf(logs))
  const tooMany = redacted.findIndex((log) => {
    room -= bytesOf([log])
    return room < 0
  })
  if (tooMany === -1) return redacted.map(parseLog)
  return [...redacted.slice(0, tooMany), logLimitNotice(maxLogBytes)].map(parseLog)
}

function redactLog({ message, fieldsJson, ...log }: RawLog, redact: Redact): RawLog {
  return {
    ...log,
    message: redact(message),
    fieldsJson: fieldsJson?.replace(JSON_STRING, (text) =>
      JSON.stringify(redact(JSON.parse(text) as string)),
    ),
  }
}

function bytesOf(logs: readonly RawLog[]): number {
  return logs.reduce(
    (sum, { message, fieldsJson = '' }) =>
      sum + Buffer.byteLength(message) + Buffer.byteLength(fieldsJson) + 1,
    0,
  )
}
