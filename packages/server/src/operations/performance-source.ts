/** A profile to take. */
export interface ProfileRequest {
  /** How long to record, in milliseconds. */
  durationMs: number
  /** Only this function; all of them when left out. */
  functionName: string | undefined
  /** Sample the memory that is allocated as well. */
  heap: boolean
  /** Ends the profile early; then nothing is reported. */
  signal: AbortSignal
}

/** What takes profiles of the process. */
export interface ProfileSource {
  /** Whether a profile is being taken: the sampler of a process serves one at a time. */
  readonly busy: boolean
  /** Answers once the profile is taken. */
  profile(request: ProfileRequest): Promise<object>
}

/** An optimization as it was found. */
export interface FoundOptimization {
  /** For `applyOptimization` and `undoOptimization`. */
  id: string
  /** One line about it. */
  title: string
  /** How much it matters. */
  severity: 'low' | 'medium' | 'high'
  /** What was measured; the first is the figure that should improve. */
  evidence: readonly object[]
  /** What to do. */
  advice: string
  /** What should be better then. */
  expectedEffect: string
  /** Whether it was applied, and undone since. */
  state: 'suggested' | 'applied' | 'undone'
  /** The setting that applying it changes; undefined when it is only advice. */
  change?: object | undefined
  /** The first figure before it was applied, and since; times in milliseconds since the epoch. */
  result?: { appliedMs: number; before: number; after?: number | undefined } | undefined
  /** Why applying it failed when the server tried it by itself. */
  failure?: string | undefined
}

/** What pages measured, as `createPerformanceClient` of `@nexus/profiler` keeps it. */
export interface PerformanceControl {
  /** Suggestions, then what was applied. */
  getOptimizations(): FoundOptimization[]
  /** What visitors of pages notice and what could be better. */
  getUxImprovements(): object[]
  /** What pages sent, added up by name and unit. */
  getMetricSummaries(): { category: unknown }[]
  /** Applies a suggestion. Rejects with an error of the code `OPTIMIZATION_NOT_FOUND` or `OPTIMIZATION_NOT_APPLICABLE`. */
  applyOptimization(id: string): Promise<FoundOptimization>
  /** Undoes an applied suggestion. Rejects with the same codes. */
  undoOptimization(id: string): Promise<FoundOptimization>
  /** Refuses with an error of the code `INVALID_METRIC`. */
  recordPageMetrics(payload: unknown): { name: string; unit: string; value: number }[]
}

/** Where the client comes from. */
export interface PerformanceSource {
  /** The client. */
  client(): Promise<PerformanceControl>
  /** The client, after a look at how things are now. */
  look(): Promise<PerformanceControl>
}
