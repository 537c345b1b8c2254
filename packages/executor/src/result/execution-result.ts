import type { LogLevel } from '../guest/protocol.js'
import type { ErrorCode } from './error-code.js'

/** A place in the handler's own source, before bundling. Lines and columns count from 1. */
export interface ErrorLocation {
  file: string
  line: number
  column: number
}

/** One line that the handler logged. */
export interface LogEntry {
  level: LogLevel
  message: string
  /** Milliseconds since the epoch. */
  time: number
  fields?: unknown
}

/** An event that the handler emitted; publishing it is up to the caller. */
export interface EmittedEvent {
  type: string
  data: unknown
  /** CloudEvents attributes that the handler gave, such as `subject`. */
  attributes?: Record<string, unknown>
}

/** Why a call did not succeed. The texts come from the guest and are not to be trusted as markup. */
export interface ExecutionError {
  code: ErrorCode
  name: string
  message: string
  /** Source-mapped where the handler has a source map. */
  stack?: string
  location?: ErrorLocation
  /** The lines around {@link location}, the line itself marked with `>`. */
  sourceLines?: string
  cause?: { name: string; message: string }
  /** Whether the same call may succeed when it is tried again. */
  retryable: boolean
}

/** What one call cost. */
export interface ExecutionMetrics {
  /** From the first to the last instruction of the handler, waiting for host calls included. */
  durationUs: number
  /** From the request to the first instruction. */
  queueWaitUs: number
  /** What compiling took for this call; 0 when the bytecode was at hand. */
  compileTimeUs: number
  cacheHit: boolean
  cacheTier: 'memory' | 'disk' | 'shared' | 'none'
  /** What the engine held when the call ended. */
  memoryUsedBytes: number
  /** The most that was seen; looked at every 10,000 instructions, at host calls and at the end. */
  memoryPeakBytes: number
  /** Emits, extension calls, fetches, timers and log lines. */
  hostCalls: number
}

/** How a call ended: what the handler returned, emitted and logged, or why it failed, and what it cost. */
export interface ExecutionResult<Value = unknown> {
  status: 'success' | 'error' | 'suspended'
  /** What the handler returned, through JSON. */
  value?: Value
  events: EmittedEvent[]
  logs: LogEntry[]
  error?: ExecutionError
  metrics: ExecutionMetrics
}
