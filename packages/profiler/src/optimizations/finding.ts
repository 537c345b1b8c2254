import type { PerformanceSnapshot } from '../snapshots/snapshot.js'

/** One measured figure, and the limit that it exceeds. */
export interface Evidence {
  /** What was measured. */
  what: string
  /** The measured number. */
  value: number
  /** Its unit. */
  unit: string
  /** The limit that it exceeds. */
  limit?: number
}

/** How much it matters. */
export type Severity = 'low' | 'medium' | 'high'

/** Something that a rule found in what was measured. */
export interface Finding {
  /** What it is about, where a rule finds several things, such as the name of a function. */
  subject?: string
  /** What was found, in one line. */
  title: string
  /** How much it matters. */
  severity: Severity
  /** What was measured; the first is the figure that should improve. */
  evidence: readonly [Evidence, ...Evidence[]]
  /** What to do. */
  advice: string
  /** What that should bring. */
  expectedEffect: string
  /** The knob to set, if one of this id is registered, and the factor for its value. */
  turn?: { knob: string; factor: number }
}

/** Looks for one kind of waste in snapshots, oldest first. */
export interface OptimizationRule {
  /** Tells the rules apart. */
  id: string
  /** Returns what it finds. */
  find(snapshots: readonly PerformanceSnapshot[]): Finding[]
  /** The figure of a finding as it is now, whether it exceeds its limit or not. */
  measure(
    snapshots: readonly PerformanceSnapshot[],
    subject: string | undefined,
  ): number | undefined
}
