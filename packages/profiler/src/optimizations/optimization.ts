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
  /** What was found, in one line. */
  readonly title: string
  /** How much it matters. */
  readonly severity: Severity
  /** What was measured; the first is the figure that should improve. */
  readonly evidence: readonly [Evidence, ...Evidence[]]
  /** What to do. */
  readonly advice: string
  /** What that should bring. */
  readonly expectedEffect: string
  /** What was done with it. */
  state: OptimizationState = 'suggested'
  /** What applying it changed. */
  result: OptimizationResult | undefined = undefined
  /** Why turning the knob failed when it was tried without being asked. */
  failure: string | undefined = undefined

  constructor(
    /** Tells it apart; stays the same from one snapshot to the next. */
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
