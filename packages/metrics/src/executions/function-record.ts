import type { BoundCounter } from '../kinds/counter.js'
import type { BoundHistogram } from '../kinds/histogram.js'
import { QuantileSketch } from '../sketch/quantile-sketch.js'
import type { ExecutionFamilies } from './execution-families.js'
import type { RecordedExecution } from './recorded-execution.js'

/** Executions that ended the same way with code from the same place. */
interface Outcome {
  status: string
  cacheTier: string
  executions: number
  counter: BoundCounter
}

/** Everything recorded of one function, in the registry through bound handles and for its statistics. */
export class FunctionRecord {
  readonly durationsUs = new QuantileSketch()
  readonly outcomes: Outcome[] = []
  readonly failures = new Map<string, number>()
  durationSumUs = 0
  succeeded = 0
  readonly #families: ExecutionFamilies
  readonly #labels: { function: string }
  readonly #byStatus = new Map<string, Map<string, Outcome>>()
  #latest: Outcome | undefined
  readonly #duration: BoundHistogram
  #queueWait: BoundHistogram | undefined
  #memory: BoundHistogram | undefined
  #hostCalls: BoundCounter | undefined

  constructor(families: ExecutionFamilies, functionName: string) {
    this.#families = families
    this.#labels = { function: functionName }
    this.#duration = families.duration.bind(this.#labels)
  }

  add(execution: RecordedExecution, success: boolean): void {
    const { status, cacheTier, durationUs, traceId } = execution
    const outcome = this.#outcome(status, cacheTier)
    outcome.executions++
    outcome.counter.inc()
    if (success) this.succeeded++
    else this.#addFailure(execution.errorCode ?? status)
    this.durationsUs.add(durationUs)
    this.durationSumUs += durationUs
    const isTraceId = typeof traceId === 'string' && traceId.length === 32
    const exemplar = isTraceId ? { trace_id: traceId } : undefined
    this.#duration.observe(durationUs / 1e6, exemplar)
    if (execution.compileTimeUs) this.addCompilation(cacheTier, execution.compileTimeUs)
    this.#addCosts(execution)
  }

  addCompilation(cacheTier: string, durationUs: number): void {
    const labels = { ...this.#labels, cache_tier: cacheTier }
    this.#families.compile.observe(labels, durationUs / 1e6)
  }

  #addCosts({ queueWaitUs, memoryUsedBytes, hostCalls }: RecordedExecution): void {
    const families = this.#families
    const labels = this.#labels
    if (queueWaitUs !== undefined) {
      this.#queueWait ??= families.queueWait.bind(labels)
      this.#queueWait.observe(queueWaitUs / 1e6)
    }
    if (memoryUsedBytes !== undefined) {
      this.#memory ??= families.memory.bind(labels)
      this.#memory.observe(memoryUsedBytes)
    }
    if (hostCalls !== undefined) {
      this.#hostCalls ??= families.hostCalls.bind(labels)
      this.#hostCalls.inc(hostCalls)
    }
  }

  /** Calls mostly end as the one before did. */
  #outcome(status: string, cacheTier: string): Outcome {
    const latest = this.#latest
    if (latest?.status === status && latest.cacheTier === cacheTier) return latest
    const known = this.#byStatus.get(status)?.get(cacheTier) ?? this.#addOutcome(status, cacheTier)
    this.#latest = known
    return known
  }

  #addFailure(code: string): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1)
    this.#families.failures.inc({ ...this.#labels, code })
  }

  #addOutcome(status: string, cacheTier: string): Outcome {
    const counter = this.#families.executions.bind({
      ...this.#labels,
      status,
      cache_tier: cacheTier,
    })
    const outcome = { status, cacheTier, executions: 0, counter }
    const tiers = this.#byStatus.get(status) ?? new Map<string, Outcome>()
    this.#byStatus.set(status, tiers.set(cacheTier, outcome))
    this.outcomes.push(outcome)
    return outcome
  }
}
