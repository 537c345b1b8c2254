import { describeThrown, type Logger } from '@nexus/diagnostics'
import {
  OptimizationNotApplicableError,
  OptimizationNotFoundError,
  PerformanceError,
} from '../errors.js'
import type { PerformanceSnapshot } from '../snapshots/snapshot.js'
import { COMPONENT_RULES } from './component-rules.js'
import type { Finding, OptimizationRule } from './finding.js'
import type { Knob, KnobChange } from './knob.js'
import { Optimization } from './optimization.js'
import { PROCESS_RULES } from './process-rules.js'
import { SYSTEM_RULES } from './system-rules.js'

/** The rules look at the latest of the snapshots only: what was is not what is. */
const WINDOW = 10
/** Applied and undone ones that are remembered. */
const MAX_HISTORY = 100

interface Entry {
  rule: OptimizationRule
  subject: string | undefined
  optimization: Optimization
}

/** Tells optimizations from snapshots, and turns the knobs of those that are applied. */
export class Optimizer {
  readonly #clock: { now(): number }
  readonly #logger: Logger
  readonly #knobs = new Map<string, Knob>()
  readonly #rules: OptimizationRule[] = [...COMPONENT_RULES, ...PROCESS_RULES, ...SYSTEM_RULES]
  /** What each rule that threw said, by its id. */
  readonly failures = new Map<string, string>()
  #suggested: Entry[] = []
  /** Those that were applied, oldest first. */
  #applied: Entry[] = []

  constructor(clock: { now(): number }, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** The suggestions, then what was applied. */
  get optimizations(): Optimization[] {
    return [...this.#suggested, ...this.#applied].map(({ optimization }) => optimization)
  }

  /** @throws {@link PerformanceError} `INVALID_OPTIONS` when the knob has no range or its id is taken */
  registerKnob(knob: Knob): () => void {
    if (typeof knob?.read !== 'function' || typeof knob.write !== 'function') {
      const message = `Expected the knob ${String(knob?.id)} to have the functions read and write.`
      throw new PerformanceError('INVALID_OPTIONS', message, { knob: knob?.id })
    }
    if (!(knob.min <= knob.max)) {
      const message = `Expected min of the knob ${knob.id} to be at most max, got ${knob.min} and ${knob.max}.`
      throw new PerformanceError('INVALID_OPTIONS', message, { knob: knob.id })
    }
    if (this.#knobs.has(knob.id)) {
      const message = `There already is a knob ${knob.id}. Remove it first.`
      throw new PerformanceError('INVALID_OPTIONS', message, { knob: knob.id })
    }
    this.#knobs.set(knob.id, knob)
    return () => {
      if (this.#knobs.get(knob.id) === knob) this.#knobs.delete(knob.id)
    }
  }

  /** @throws {@link PerformanceError} `INVALID_OPTIONS` when it is no rule or its id is taken */
  registerRule(rule: OptimizationRule): () => void {
    const { id, find, measure } = rule
    if (typeof id !== 'string' || !/^[\w.-]+$/.test(id)) {
      const message =
        'Expected id of a rule to be letters, digits, - . and _, such as slow-queries.'
      throw new PerformanceError('INVALID_OPTIONS', message, { rule: id })
    }
    if (typeof find !== 'function' || typeof measure !== 'function') {
      const message = `Expected the rule ${id} to have the functions find and measure.`
      throw new PerformanceError('INVALID_OPTIONS', message, { rule: id })
    }
    if (this.#rules.some((other) => other.id === id)) {
      const message = `There already is a rule ${id}. Choose another id.`
      throw new PerformanceError('INVALID_OPTIONS', message, { rule: id })
    }
    this.#rules.push(rule)
    return () => {
      const at = this.#rules.indexOf(rule)
      if (at < 0) return
      this.#rules.splice(at, 1)
      this.failures.delete(id)
    }
  }

  /** Looks at all snapshots there are, oldest first. */
  update(snapshots: readonly PerformanceSnapshot[]): void {
    this.#measureApplied(snapshots)
    this.#suggested = this.#rules.flatMap((rule) => {
      const found = this.#guarded(rule, () => rule.find(this.#windowOf(rule, snapshots))) ?? []
      return found.map((finding) => this.#suggest(rule, finding))
    })
  }

  /** What a rule answers; undefined when it throws, which must not keep the others from being asked. */
  #guarded<T>(rule: OptimizationRule, ask: () => T): T | undefined {
    try {
      const answer = ask()
      this.failures.delete(rule.id)
      return answer
    } catch (error) {
      const reason = describeThrown(error).message
      if (!this.failures.has(rule.id)) {
        this.#logger.warn({ rule: rule.id, reason }, 'a rule for optimizations failed')
      }
      this.failures.set(rule.id, reason)
      return undefined
    }
  }

  /**
   * Turns the knob.
   *
   * @throws {@link OptimizationNotFoundError}, {@link OptimizationNotApplicableError}, or what the knob throws
   */
  async apply(id: string): Promise<Optimization> {
    const entry = this.#find(id)
    const { optimization } = entry
    const { change } = optimization
    if (optimization.state !== 'suggested') {
      throw new OptimizationNotApplicableError(id, `was ${optimization.state} before.`)
    }
    if (!change) {
      throw new OptimizationNotApplicableError(id, `is advice: ${optimization.advice}`)
    }
    await this.#turn(id, change.knob, change.to)
    optimization.state = 'applied'
    optimization.failure = undefined
    const [{ value: before }] = optimization.evidence
    optimization.result = { appliedMs: this.#clock.now(), before }
    this.#logger.info({ id, ...change }, 'an optimization was applied')
    this.#suggested = this.#suggested.filter((other) => other !== entry)
    this.#applied = [...this.#applied, entry].slice(-MAX_HISTORY)
    return optimization
  }

  /**
   * Turns the knob back to where it was.
   *
   * @throws {@link OptimizationNotFoundError}, {@link OptimizationNotApplicableError}, or what the knob throws
   */
  async undo(id: string): Promise<Optimization> {
    const { optimization } = this.#find(id)
    const { change } = optimization
    if (optimization.state !== 'applied' || !change) {
      throw new OptimizationNotApplicableError(id, 'is not applied, so there is nothing to undo.')
    }
    await this.#turn(id, change.knob, change.from)
    optimization.state = 'undone'
    this.#logger.info({ id, knob: change.knob, to: change.from }, 'an optimization was undone')
    return optimization
  }

  /** Applies every suggestion that turns a knob; one that fails says so and is not tried again. */
  async applyAll(): Promise<void> {
    for (const { optimization } of [...this.#suggested]) {
      if (!optimization.change || optimization.failure !== undefined) continue
      try {
        await this.apply(optimization.id)
      } catch (error) {
        optimization.failure = describeThrown(error).message
        const fields = { id: optimization.id, reason: optimization.failure }
        this.#logger.warn(fields, 'an optimization could not be applied')
      }
    }
  }

  #measureApplied(snapshots: readonly PerformanceSnapshot[]): void {
    for (const { rule, subject, optimization } of this.#applied) {
      const { result } = optimization
      if (!result || optimization.state !== 'applied' || result.after !== undefined) continue
      const since = snapshots.filter(({ timestamp }) => timestamp > result.appliedMs)
      const after = this.#guarded(rule, () => rule.measure(since, subject))
      if (after !== undefined) result.after = after
    }
  }

  /** Snapshots that a rule may judge by: none from before its own last turn of a knob. */
  #windowOf(rule: OptimizationRule, snapshots: readonly PerformanceSnapshot[]) {
    const last = this.#applied.findLast((entry) => entry.rule === rule)
    const sinceMs = last?.optimization.result?.appliedMs ?? Number.NEGATIVE_INFINITY
    return snapshots.filter(({ timestamp }) => timestamp > sinceMs).slice(-WINDOW)
  }

  #suggest(rule: OptimizationRule, finding: Finding): Entry {
    const { subject } = finding
    const base = subject === undefined ? rule.id : `${rule.id}:${subject}`
    const earlier = this.#applied.filter(
      (entry) => entry.rule === rule && entry.subject === subject,
    ).length
    const id = earlier === 0 ? base : `${base}#${earlier + 1}`
    const optimization = new Optimization(id, finding, this.#changeOf(finding))
    const known = this.#suggested.find((entry) => entry.optimization.id === id)
    optimization.failure = known?.optimization.failure
    return { rule, subject, optimization }
  }

  #changeOf({ turn }: Finding): KnobChange | undefined {
    const knob = turn && this.#knobs.get(turn.knob)
    if (!turn || !knob) return undefined
    const from = readKnob(knob)
    if (from === undefined) return undefined
    const to = Math.min(Math.max(Math.round(from * turn.factor), knob.min), knob.max)
    return to === from ? undefined : { knob: knob.id, unit: knob.unit, from, to }
  }

  async #turn(id: string, knobId: string, value: number): Promise<void> {
    const knob = this.#knobs.get(knobId)
    if (!knob)
      throw new OptimizationNotApplicableError(id, `needs the knob ${knobId}, which is gone.`)
    await knob.write(value)
  }

  #find(id: string): Entry {
    const entry = [...this.#suggested, ...this.#applied].find(
      ({ optimization }) => optimization.id === id,
    )
    if (!entry) throw new OptimizationNotFoundError(id)
    return entry
  }
}

/** Where the knob is; undefined while its component cannot tell, which leaves the finding as advice. */
function readKnob(knob: Knob): number | undefined {
  try {
    const value = knob.read()
    return Number.isFinite(value) ? value : undefined
  } catch {
    return undefined
  }
}
