/** One measured figure, and the limit it is past. */
export interface OptimizationEvidence {
  what: string
  value: number
  unit: string
  limit?: number
}

/** Something to improve, told from what the server measured. */
export interface ReportedOptimization {
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
  optimizations: ReportedOptimization[]
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
