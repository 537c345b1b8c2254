import { QuantileSketch } from '../sketch/quantile-sketch.js'
import type { FunctionRecord } from './function-record.js'
import type { ExecutionStats } from './recorded-execution.js'

/** The cache tier that means "had to be compiled". */
const NOT_CACHED = 'none'

/** Adds up what was recorded of one function, or of several. */
export function executionStats(records: readonly FunctionRecord[]): ExecutionStats {
  const durations = new QuantileSketch()
  const failuresByCode = new Map<string, number>()
  const byStatus = new Map<string, number>()
  const byCacheTier = new Map<string, number>()
  let succeeded = 0
  for (const record of records) {
    durations.merge(record.durationsUs)
    succeeded += record.succeeded
    for (const [code, failures] of record.failures) add(failuresByCode, code, failures)
    for (const { status, cacheTier, executions } of record.outcomes) {
      add(byStatus, status, executions)
      add(byCacheTier, cacheTier, executions)
    }
  }
  const { count } = durations
  const quantile = (q: number) => (count === 0 ? 0 : durations.quantile(q))
  return {
    executions: count,
    succeeded,
    failed: count - succeeded,
    failuresByCode: Object.fromEntries(failuresByCode),
    byStatus: Object.fromEntries(byStatus),
    byCacheTier: Object.fromEntries(byCacheTier),
    cacheHitRate: cacheHitRate(records),
    durationUs: {
      avg: averageDurationUs(records),
      min: quantile(0),
      max: quantile(1),
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
    },
  }
}

/** Share of executions whose compiled code came from a cache; 0 while nothing ran. */
export function cacheHitRate(records: readonly FunctionRecord[]): number {
  let executions = 0
  let compiled = 0
  for (const { outcomes } of records) {
    for (const outcome of outcomes) {
      executions += outcome.executions
      if (outcome.cacheTier === NOT_CACHED) compiled += outcome.executions
    }
  }
  return executions === 0 ? 0 : 1 - compiled / executions
}

/** Average duration in microseconds; 0 while nothing ran. */
export function averageDurationUs(records: readonly FunctionRecord[]): number {
  let executions = 0
  let sumUs = 0
  for (const { durationsUs, durationSumUs } of records) {
    executions += durationsUs.count
    sumUs += durationSumUs
  }
  return executions === 0 ? 0 : sumUs / executions
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}
