import type { LogLevel } from '../guest/protocol.js'
import type { Suspension } from '../suspension/suspension.js'
import type { ErrorCode } from './error-code.js'

/** A place in the handler's own source, before bundling. Lines and columns count from 1. */
export interface ErrorLocation {
  /** The file, as the bundler or the caller named it. */
  file: string
  /** Line number, from 1. */
  line: number
  /** Column number, from 1. */
  column: number
}

/** One line that the handler logged. */
export interface LogEntry {
  /** How severe the handler said it is. */
  level: LogLevel
  /** The text. */
  message: string
  /** Milliseconds since the epoch. */
  time: number
  /** What the handler gave beside the text, through JSON. */
  fields?: unknown
}

/** An event that the handler emitted; publishing it is up to the caller. */
export interface EmittedEvent {
  /** Such as `com.example.order.totalled`. */
  type: string
  /** The payload, through JSON. */
  data: unknown
  /** CloudEvents attributes that the handler gave, such as `subject`. */
  attributes?: Record<string, unknown>
}

/** Why a call did not succeed. The texts come from the guest and are not to be trusted as markup. */
export interface ExecutionError {
  /** Stable, for programs. */
  code: ErrorCode
  /** Name of what was thrown, such as `TypeError`. */
  name: string
  /** Its message, cut to 16,384 characters. */
  message: string
  /** Source-mapped where the handler has a source map. */
  stack?: string
  /** Where in the handler's source it was thrown. */
  location?: ErrorLocation
  /** The lines around {@link location}, the line itself marked with `>`. */
  sourceLines?: string
  /** The `cause` of what was thrown. */
  cause?: { name: string; message: string }
  /** Whether the same call may succeed when it is tried again. */
  retryable: boolean
}

/** What one call cost. */
export interface ExecutionMetrics {
  /** From the first to the last instruction of the handler, waiting for host calls included, in microseconds. */
  durationUs: number
  /** From the request to the first instruction, in microseconds. */
  queueWaitUs: number
  /** What compiling took for this call, in microseconds; 0 when the bytecode was at hand. */
  compileTimeUs: number
  /** Whether the bytecode was at hand. */
  cacheHit: boolean
  /** Where it was; `none` when it was compiled for this call. */
  cacheTier: 'memory' | 'disk' | 'shared' | 'none'
  /** What the engine had allocated when the call ended, in bytes. */
  memoryUsedBytes: number
  /** The most that was seen, in bytes; looked at every 10,000 instructions, at host calls and at the end. */
  memoryPeakBytes: number
  /** Emits, calls of host functions, fetches, timers and log lines. */
  hostCalls: number
}

/** What each call says, however it ended. */
export interface ExecutionReport {
  /** What the handler emitted, in order; nothing when the call failed. */
  events: EmittedEvent[]
  /** What the handler logged, in order. */
  logs: LogEntry[]
  /** What the call cost. */
  metrics: ExecutionMetrics
}

/** A call whose handler returned. */
export interface SuccessfulExecution<Value = unknown> extends ExecutionReport {
  /** The handler returned. */
  status: 'success'
  /** What the handler returned, through JSON. */
  value: Value
  /** None. */
  error?: undefined
}

/** A call that failed. */
export interface FailedExecution extends ExecutionReport {
  /** The call failed. */
  status: 'error'
  /** None. */
  value?: undefined
  /** Why it failed. */
  error: ExecutionError
}

/** A call that stands still until something it waits for comes. */
export interface SuspendedExecution extends ExecutionReport {
  /** The sandbox is frozen and stored. */
  status: 'suspended'
  /** None yet. */
  value?: undefined
  /** None. */
  error?: undefined
  /** What to resume it by. */
  suspension: Suspension
}

/**
 * How a call ended, told by its `status`; `suspended` only where the runtime has a store for suspended calls.
 *
 * @example
 * ```ts
 * const result = await runtime.executeHandler<number>('export default (event) => event.n * 2', { event: { n: 21 } })
 * if (result.status === 'success') console.log(result.value + 1)
 * else console.error(result.error.code, result.error.message)
 * ```
 */
export type ExecutionResult<Value = unknown> =
  | SuccessfulExecution<Value>
  | FailedExecution
  | SuspendedExecution
