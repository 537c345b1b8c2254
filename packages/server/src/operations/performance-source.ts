/** A profile to take. */
export interface ProfileRequest {
  durationMs: number
  /** Only this function; all of them when left out. */
  functionName: string | undefined
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
  id: string
  title: string
  severity: 'low' | 'medium' | 'high'
  evidence: readonly object[]
  advice: string
  expectedEffect: string
  state: 'suggested' | 'applied' | 'undone'
  change?: object | undefined
  result?: { appliedMs: number; before: number; after?: number | undefined } | undefined
  failure?: string | undefined
}

/** What pages measured, as `createPerformanceClient` of `@nexus/profiler` keeps it. */
export interface PerformanceControl {
  getOptimizations(): FoundOptimization[]
  getUxImprovements(): object[]
  getMetricSummaries(): { category: unknown }[]
  applyOptimization(id: string): Promise<FoundOptimization>
  undoOptimization(id: string): Promise<FoundOptimization>
  /** Refuses with an error of the code `INVALID_METRIC`. */
  recordPageMetrics(payload: unknown): { name: string; unit: string; value: number }[]
}

/** Where the client comes from. */
export interface PerformanceSource {
  client(): Promise<PerformanceControl>
  /** The client, after a look at how things are now. */
  look(): Promise<PerformanceControl>
}
