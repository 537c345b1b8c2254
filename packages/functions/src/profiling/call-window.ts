import type { ExecutionMetrics } from '@nexus/executor'
import { QuantileSketch } from '@nexus/metrics'

/** What one function did while a profile was taken. */
export interface ProfiledFunction {
  /** Its name. */
  function: string
  /** Calls that ended. */
  calls: number
  /** Calls that failed. */
  failed: number
  /** Time of all calls in the sandbox, in milliseconds. */
  totalMs: number
  /** Share of the time of all functions, 0 to 1. */
  share: number
  /** Mean time of a call, in milliseconds. */
  averageMs: number
  /** Time within which 95 of 100 calls ended, in milliseconds. */
  p95Ms: number
  /** The longest call, in milliseconds. */
  maxMs: number
  /** From the request to the first instruction, on average. */
  averageQueueWaitMs: number
  /** The most that one call held. */
  memoryPeakBytes: number
  /** Emits, timers and log lines. */
  hostCalls: number
}

/** The calls of one function, as the rules of `@nexus/profiler` look at them. */
export interface FunctionCallFigures {
  /** Calls that ended. */
  executions: number
  /** Calls that failed. */
  failed: number
  /** How long the calls took, in microseconds. */
  durationUs: { avg: number; p95: number; max: number }
}

interface Tally {
  durationsUs: QuantileSketch
  totalUs: number
  queueWaitUs: number
  failed: number
  memoryPeakBytes: number
  hostCalls: number
}

/** What the functions did in a stretch of time. */
export class CallWindow {
  readonly #tallies = new Map<string, Tally>()

  /** Counts a call that ended. */
  add(name: string, metrics: ExecutionMetrics, failed: boolean): void {
    const tally = this.#tallies.get(name) ?? emptyTally()
    this.#tallies.set(name, tally)
    tally.durationsUs.add(metrics.durationUs)
    tally.totalUs += metrics.durationUs
    tally.queueWaitUs += metrics.queueWaitUs
    tally.failed += failed ? 1 : 0
    tally.memoryPeakBytes = Math.max(tally.memoryPeakBytes, metrics.memoryPeakBytes)
    tally.hostCalls += metrics.hostCalls
  }

  /** The functions that were called, those that took the most time first. */
  functions(): ProfiledFunction[] {
    const tallies = [...this.#tallies].sort(([, a], [, b]) => b.totalUs - a.totalUs)
    const allUs = tallies.reduce((sum, [, { totalUs }]) => sum + totalUs, 0)
    return tallies.map(([name, tally]) => profiledFunction(name, tally, allUs))
  }

  /** The same for the rules that find what to improve. */
  figures(): Record<string, FunctionCallFigures> {
    return Object.fromEntries(
      [...this.#tallies].map(([name, { durationsUs, totalUs, failed }]) => [
        name,
        {
          executions: durationsUs.count,
          failed,
          durationUs: {
            avg: totalUs / durationsUs.count,
            p95: durationsUs.quantile(0.95),
            max: durationsUs.max,
          },
        },
      ]),
    )
  }
}

function emptyTally(): Tally {
  return {
    durationsUs: new QuantileSketch(),
    totalUs: 0,
    queueWaitUs: 0,
    failed: 0,
    memoryPeakBytes: 0,
    hostCalls: 0,
  }
}

function profiledFunction(name: string, tally: Tally, allUs: number): ProfiledFunction {
  const { durationsUs, totalUs, queueWaitUs, failed, memoryPeakBytes, hostCalls } = tally
  const calls = durationsUs.count
  return {
    function: name,
    calls,
    failed,
    totalMs: totalUs / 1000,
    share: allUs === 0 ? 0 : totalUs / allUs,
    averageMs: totalUs / calls / 1000,
    p95Ms: durationsUs.quantile(0.95) / 1000,
    maxMs: durationsUs.max / 1000,
    averageQueueWaitMs: queueWaitUs / calls / 1000,
    memoryPeakBytes,
    hostCalls,
  }
}
