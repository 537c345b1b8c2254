/** One measured figure, and the limit it is past. */
export interface OptimizationEvidence {
  /** What was measured. */
  what: string
  /** The figure, in `unit`. */
  value: number
  /** Such as `%` or `ms`. */
  unit: string
  /** The figure that would be good, where there is one. */
  limit?: number
}

/** Something to improve, told from what the server measured. */
export interface ReportedOptimization {
  /** For `applyOptimization` and `undoOptimization`. */
  id: string
  /** One line about it. */
  title: string
  /** How much it matters. */
  severity: 'low' | 'medium' | 'high'
  /** What was measured; the first is the figure that should improve. */
  evidence: OptimizationEvidence[]
  /** What to do. */
  advice: string
  /** What should be better then. */
  expectedEffect: string
  /** Whether it was applied, and undone since. */
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
  /** Stable for one subject and measure. */
  id: string
  /** The interaction or web vital. */
  subject: string
  /** How far it is from good. */
  severity: 'needs-improvement' | 'poor'
  /** The 75th percentile, or a share of failures. */
  value: number
  /** Such as `ms`. */
  unit: string
  /** What would be good. */
  limit: number
  /** How many measurements this is from. */
  samples: number
  /** What to do. */
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
  /** Name of the metric, such as `LCP`. */
  name: string
  /** Unit of the figures. */
  unit: string
  /** Values recorded. */
  count: number
  /** The smallest value. */
  min: number
  /** The mean. */
  avg: number
  /** The median. */
  p50: number
  /** 95 of 100 values are at most this. */
  p95: number
  /** The largest value. */
  max: number
}

/** What pages sent within the retention. */
export interface PagePerformanceReport {
  /** The most recorded first. */
  metrics: PageMetricSummary[]
  /** What visitors notice and what could be better. */
  uxImprovements: UxImprovement[]
}
