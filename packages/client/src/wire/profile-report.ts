/** What one function did while a profile was taken. */
export interface ProfiledFunction {
  /** Its name. */
  function: string
  /** Calls that ended. */
  calls: number
  /** Calls that failed. */
  failed: number
  /** Time of all calls in the sandbox, in milliseconds. */
  totalMs: number
  /** Share of the time of all functions, 0 to 1. */
  share: number
  /** Mean time of a call, in milliseconds. */
  averageMs: number
  /** Time within which 95 of 100 calls ended, in milliseconds. */
  p95Ms: number
  /** The longest call, in milliseconds. */
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
  /** Its name; `(anonymous)` for one without. */
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
  /** How long it was recorded, in milliseconds. */
  durationMs: number
  /** The process as a whole. */
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
  /** What the main thread allocated and holds at the end; only when it was asked for. */
  heap?: {
    /** Most first. */
    functions: AllocatingCode[]
    /** As V8 wrote it: the content of a `.heapprofile`. */
    heapProfile: { samplingIntervalBytes: number; profile: object }
  }
}

/** A function of the server that allocated memory. */
export interface AllocatingCode extends Omit<ProfiledCode, 'selfMs'> {
  /** Memory that it allocated and that is in use, in bytes. */
  selfBytes: number
}
