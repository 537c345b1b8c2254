/** Any value that JSON can carry. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue | undefined }

/** A CloudEvents 1.0 event as the runtime stores and returns it. */
export interface CloudEvent {
  specversion: '1.0'
  /** Unique among the events of the log. */
  id: string
  /** URI reference of the producer. */
  source: string
  /** Dot-separated name, e.g. `com.nexus.order.created`. */
  type: string
  /** RFC 3339, UTC. */
  time: string
  subject?: string
  datacontenttype?: string
  data?: JsonValue
  /** Extension attributes. */
  [attribute: string]: JsonValue | undefined
}

/** An event to publish; the runtime fills in `id`, `source` and `time` where they are missing. */
export interface NewEvent {
  type: string
  data?: JsonValue
  id?: string
  source?: string
  time?: string
  subject?: string
  [attribute: string]: JsonValue | undefined
}

/** What the runtime answers once an event is durable. */
export interface PublishReceipt {
  id: string
  /** `true` when an event with this id was stored before; it was not stored again. */
  duplicate: boolean
}

/** One page of the log, newest event first. */
export interface EventPage {
  events: CloudEvent[]
  /** Events in the log that match the filter, on all pages; absent where only a scan could tell. */
  total?: number
  /** Hand this to the next call; absent on the last page. */
  cursor?: string
}

/** Where one function stands with one event. */
export type RunStatus = 'pending' | 'running' | 'retrying' | 'succeeded' | 'dead-lettered'

/** A line that a function logged. A type, like those it is stored with, so that it is JSON for the compiler too. */
export type LogLine = {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  /** RFC 3339, UTC. */
  time: string
  fields?: JsonValue
}

/** Why the last attempt of a function failed. */
export type RunError = {
  /** Stable code, e.g. `TIMEOUT` or `EXECUTION_ERROR`. */
  code: string
  /** Name of what was thrown, e.g. `TypeError`. */
  name: string
  message: string
  /** Stack of the function's own frames, in its own source. */
  stack?: string
  /** Where in the function's own source; lines and columns count from 1. */
  location?: { file: string; line: number; column: number }
  /** The lines around `location`, the line itself marked with `>`. */
  sourceLines?: string
}

/** What one function did with an event. */
export interface FunctionRun {
  function: string
  /** `dead-lettered` is final: every attempt failed. */
  status: RunStatus
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
  error?: RunError
}

/** An event with what each function did with it. */
export interface EventDetails {
  event: CloudEvent
  /** RFC 3339, UTC; when the event became durable. */
  publishedAt: string
  runs: FunctionRun[]
}

/** What a replay set in motion. */
export interface ReplayReceipt {
  id: string
  /** Functions that run the event once more. */
  deliveries: number
}

/** Counters of the running process: they start at zero with it. */
export interface MetricsReport {
  events: {
    /** Events stored, those that functions emitted included. */
    published: number
    replayed: number
    /** Deliveries that ended as dead letters. */
    failed: number
    /** Deliveries that ended well, of those that ended; `null` before the first. */
    successRatePercent: number | null
  }
  functions: {
    /** Calls of handlers, retries included. */
    executed: number
    succeeded: number
    failed: number
    successRatePercent: number | null
    /** Mean time of a call in milliseconds; `null` before the first. */
    averageDurationMs: number | null
  }
  system: {
    uptimeSeconds: number
    version: string
    bus: { backend: string; connected: boolean }
  }
}

/** What one function did while a profile was taken. */
export interface ProfiledFunction {
  function: string
  /** Calls that ended. */
  calls: number
  failed: number
  /** Time of all calls in the sandbox, in milliseconds. */
  totalMs: number
  /** Share of the time of all functions, 0 to 1. */
  share: number
  averageMs: number
  p95Ms: number
  maxMs: number
  /** From the request to the first instruction, on average. */
  averageQueueWaitMs: number
  /** The most that one call held. */
  memoryPeakBytes: number
  /** Emits, timers and log lines. */
  hostCalls: number
}

/** A function of the server itself, as the sampler saw it. */
export interface ProfiledCode {
  name: string
  /** Address of its file; empty for what is built in. */
  url: string
  /** Counted from 1. */
  line: number
  /** CPU time in the function itself, in milliseconds. */
  selfMs: number
  /** Share of all CPU time sampled, 0 to 1. */
  share: number
}

/** What the CPU did on a thread that runs event functions. */
export interface ProfiledThread {
  /** `sandbox-1` and so on. */
  name: string
  /** CPU time sampled, in milliseconds. */
  busyMs: number
  /** What took the most CPU time, most first; what guests run shows as the work of the engine. */
  code: ProfiledCode[]
  /** The profile as V8 wrote it: the content of a `.cpuprofile`. */
  cpuProfile: object
}

/** Where time and memory of a server went while it was profiled. */
export interface ProfileReport {
  /** RFC 3339, UTC. */
  startedAt: string
  durationMs: number
  process: {
    /** Of one core, all threads together. */
    cpuPercent: number
    eventLoopBusyPercent: number
    eventLoopDelayP99Ms: number
    gcMs: number
    residentBytes: number
    heapUsedBytes: number
  }
  /** The functions of the server's main thread that took the most CPU time, most first. */
  host: ProfiledCode[]
  /** The threads that run event functions; one that was ended meanwhile is not among them. */
  threads: ProfiledThread[]
  /** The event functions that were called, by time, most first. */
  functions: ProfiledFunction[]
  /** What the sandbox did meanwhile; `instances` and `memoryBytes` are those at the end. */
  sandbox: {
    /** Look-ups of compiled code that the cache answered. */
    cacheHits: number
    /** Sources that had to be compiled. */
    compiled: number
    evictions: number
    /** Instances set back to their pristine state. */
    rewinds: number
    /** Instances thrown away. */
    discards: number
    threadKills: number
    instances: number
    memoryBytes: number
  }
  /** What the figures suggest to change. */
  suggestions: { title: string; severity: 'low' | 'medium' | 'high'; advice: string }[]
  /** The main thread's profile as V8 wrote it: the content of a `.cpuprofile`. */
  cpuProfile: { samplingIntervalUs: number; profile: object }
}

/** One measured figure, and the limit it is past. */
export interface OptimizationEvidence {
  what: string
  value: number
  unit: string
  limit?: number
}

/** Something to improve, told from what the server measured. */
export interface Optimization {
  id: string
  title: string
  severity: 'low' | 'medium' | 'high'
  /** What was measured; the first is the figure that should improve. */
  evidence: OptimizationEvidence[]
  advice: string
  expectedEffect: string
  state: 'suggested' | 'applied' | 'undone'
  /** The setting that applying it turns; absent when it is advice for people. */
  change?: { knob: string; unit: string; from: number; to: number }
  /** Once it was applied: the first figure of the evidence before, and since, when enough was measured. */
  result?: {
    /** RFC 3339, UTC. */
    appliedAt: string
    before: number
    after?: number
  }
  /** Why turning the setting failed when the server tried it by itself. */
  failure?: string
}

/** Something that visitors of pages notice and that could be better. */
export interface UxImprovement {
  id: string
  /** The interaction or web vital. */
  subject: string
  severity: 'needs-improvement' | 'poor'
  /** The 75th percentile, or a share of failures. */
  value: number
  unit: string
  /** What would be good. */
  limit: number
  /** How many measurements this is from. */
  samples: number
  suggestion: string
}

/** What a server could do better. */
export interface OptimizationsReport {
  /** Suggestions, then what was applied; gone with the process. */
  optimizations: Optimization[]
  /** From the metrics that pages sent. */
  uxImprovements: UxImprovement[]
}

/** Metrics of one name and unit that pages sent, added up. */
export interface PageMetricSummary {
  name: string
  unit: string
  count: number
  min: number
  avg: number
  p50: number
  p95: number
  max: number
}

/** What pages sent within the retention. */
export interface PagePerformanceReport {
  /** The most recorded first. */
  metrics: PageMetricSummary[]
  uxImprovements: UxImprovement[]
}
