import type { CallOutcome, RawEvent, RawLog } from './call.js'
import type { Callable } from './callable.js'
import { describeFailure } from './error-report.js'
import type { EmittedEvent, ExecutionError, ExecutionResult, LogEntry } from './execution-result.js'

/** What the caller is told of a call that ran. */
export function resultOf<Value>(callable: Callable, outcome: CallOutcome): ExecutionResult<Value> {
  const { failure, valueJson, events, logs } = outcome
  const result: ExecutionResult<Value> = {
    status: failure ? 'error' : 'success',
    events: events.length === 0 ? [] : events.map(parseEvent),
    logs: logs.length === 0 ? [] : logs.map(parseLog),
    metrics: {
      durationUs: outcome.durationUs,
      queueWaitUs: outcome.queueWaitUs,
      compileTimeUs: callable.compileTimeUs,
      cacheHit: callable.cacheHit,
      cacheTier: callable.cacheTier,
      memoryUsedBytes: outcome.memoryUsedBytes,
      memoryPeakBytes: outcome.memoryPeakBytes,
      hostCalls: outcome.hostCalls,
    },
  }
  if (failure) result.error = describeFailure(failure, callable)
  else if (valueJson !== '') result.value = JSON.parse(valueJson) as Value
  return result
}

/** What the caller is told when there is nothing to run. */
export function resultOfFailedCompile<Value>(error: ExecutionError): ExecutionResult<Value> {
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
