/** What one call of a function cost: what an executor reports to `MetricsCollector.recordExecution`. */
export interface RecordedExecution {
  /** Name of the function. */
  functionName: string
  /** How it ended, such as `success`, `suspended` or `timeout`. */
  status: string
  /** Where its compiled code came from, such as `memory` or `disk`; `none` when it had to be compiled. */
  cacheTier: string
  /** Time the handler ran, in microseconds. */
  durationUs: number
  /** Error code when it failed. @default the status */
  errorCode?: string | undefined
  /** Time spent compiling, in microseconds; 0 or absent when nothing had to be compiled. */
  compileTimeUs?: number | undefined
  /** Time it waited for an instance, in microseconds. */
  queueWaitUs?: number | undefined
  /** Memory its instance used, in bytes. */
  memoryUsedBytes?: number | undefined
  /** Calls it made to host functions. */
  hostCalls?: number | undefined
  /** W3C trace id to keep as the exemplar of this duration; ignored unless it has 32 characters. */
  traceId?: string | undefined
}

/** What getting the compiled code of a function cost: what an executor reports to `MetricsCollector.recordCompilation`. */
export interface RecordedCompilation {
  /** Name of the function. */
  functionName: string
  /** Where the code came from, such as `memory` or `disk`; `none` when it had to be compiled. */
  cacheTier: string
  /** How long it took, in microseconds. */
  durationUs: number
}

/** Quantiles and extremes of durations, in microseconds; all 0 while nothing ran. */
export interface DurationStats {
  /** Arithmetic mean. */
  avg: number
  /** The shortest. */
  min: number
  /** The longest. */
  max: number
  /** Half of them were shorter. */
  p50: number
  /** 95 % of them were shorter. */
  p95: number
  /** 99 % of them were shorter. */
  p99: number
}

/** What the executions of one function, or of all of them, add up to. */
export interface ExecutionStats {
  /** Executions that ended. */
  executions: number
  /** Executions that were recorded as a success. */
  succeeded: number
  /** Executions that were recorded as a failure. */
  failed: number
  /** Failures by error code. */
  failuresByCode: Record<string, number>
  /** Executions by status. */
  byStatus: Record<string, number>
  /** Executions by where the compiled code came from. */
  byCacheTier: Record<string, number>
  /** Share of executions whose compiled code came from a cache, 0 to 1; 0 while nothing ran. */
  cacheHitRate: number
  /** How long they took, in microseconds. */
  durationUs: DurationStats
}

/** Everything the collector counted. */
export interface CollectorStats {
  /** All functions together. */
  totals: ExecutionStats
  /** By function name; see `maxFunctions`. */
  functions: Record<string, ExecutionStats>
  /** How many functions are told apart before the rest counts as `(other)`. */
  maxFunctions: number
}
