import type { PerformanceSnapshot } from '../snapshots/snapshot.js'

/** One measured figure, and the limit it is past. */
export interface Evidence {
  what: string
  value: number
  unit: string
  limit?: number
}

/** How much it matters. */
export type Severity = 'low' | 'medium' | 'high'

/** Something that a rule found in what was measured. */
export interface Finding {
  /** What it is about, where a rule finds several things, such as the name of a function. */
  subject?: string
  title: string
  severity: Severity
  /** What was measured; the first is the figure that should improve. */
  evidence: readonly [Evidence, ...Evidence[]]
  /** What to do. */
  advice: string
  /** What that should bring. */
  expectedEffect: string
  /** The knob to turn, if one of this id is registered, and by how much. */
  turn?: { knob: string; factor: number }
}

/** Looks for one kind of waste in snapshots, oldest first. */
export interface OptimizationRule {
  id: string
  find(snapshots: readonly PerformanceSnapshot[]): Finding[]
  /** The figure of a finding as it is now, whether past its limit or not. */
  measure(
    snapshots: readonly PerformanceSnapshot[],
    subject: string | undefined,
  ): number | undefined
}
