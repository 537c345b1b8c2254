import type { Evidence, Finding, Severity } from './finding.js'
import type { KnobChange } from './knob.js'

/** `suggested`, or what was done with it. */
export type OptimizationState = 'suggested' | 'applied' | 'undone'

/** What applying it changed. */
export interface OptimizationResult {
  /** In milliseconds since the epoch. */
  appliedMs: number
  /** The first figure of the evidence before. */
  before: number
  /** The same figure since; absent until enough was measured. */
  after?: number
}

/** Something to improve, told from what was measured. */
export class Optimization {
  readonly title: string
  readonly severity: Severity
  /** What was measured; the first is the figure that should improve. */
  readonly evidence: readonly [Evidence, ...Evidence[]]
  readonly advice: string
  readonly expectedEffect: string
  state: OptimizationState = 'suggested'
  /** What applying it changed. */
  result: OptimizationResult | undefined = undefined
  /** Why turning the knob failed when it was tried without being asked. */
  failure: string | undefined = undefined

  constructor(
    readonly id: string,
    finding: Finding,
    /** The turn of a knob that applies it; absent when it is advice for people. */
    readonly change: KnobChange | undefined,
  ) {
    this.title = finding.title
    this.severity = finding.severity
    this.evidence = finding.evidence
    this.advice = finding.advice
    this.expectedEffect = finding.expectedEffect
  }
}
