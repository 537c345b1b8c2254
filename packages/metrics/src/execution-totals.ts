import { type ExecutionMetrics, type ExecutionStats, failureCode } from './execution-metrics.js'
import { QuantileSketch } from './quantile-sketch.js'

/** The cache tier that means "had to be compiled". */
const MISS = 'none'

/** Adds up executions. */
export class ExecutionTotals {
  readonly #durations = new QuantileSketch()
  readonly #failures = new Map<string, number>()
  readonly #statuses = new Map<string, number>()
  readonly #tiers = new Map<string, number>()
  #succeeded = 0
  #durationSumUs = 0

  add(execution: ExecutionMetrics, success: boolean): void {
    this.#durations.add(execution.durationUs)
    this.#durationSumUs += execution.durationUs
    bump(this.#statuses, execution.status)
    bump(this.#tiers, execution.cacheTier)
    if (success) this.#succeeded++
    else bump(this.#failures, failureCode(execution))
  }

  get cacheHitRate(): number {
    const { count } = this.#durations
    return count === 0 ? 0 : 1 - (this.#tiers.get(MISS) ?? 0) / count
  }

  get averageUs(): number {
    const { count } = this.#durations
    return count === 0 ? 0 : this.#durationSumUs / count
  }

  toStats(): ExecutionStats {
    const { count } = this.#durations
    const quantile = (q: number) => (count === 0 ? 0 : this.#durations.quantile(q))
    return {
      executions: count,
      succeeded: this.#succeeded,
      failed: count - this.#succeeded,
      failuresByCode: Object.fromEntries(this.#failures),
      byStatus: Object.fromEntries(this.#statuses),
      byCacheTier: Object.fromEntries(this.#tiers),
      cacheHitRate: this.cacheHitRate,
      durationUs: {
        avg: this.averageUs,
        min: quantile(0),
        max: quantile(1),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
      },
    }
  }
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
