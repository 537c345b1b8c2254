import type { PerformanceSnapshot } from '../snapshots/snapshot.js'
import type { OptimizationRule } from './finding.js'
import { typicalValue } from './typical-value.js'

type Snapshots = readonly PerformanceSnapshot[]

const DELAY_LIMIT_MS = 50

function typicalDelay(snapshots: Snapshots): number | undefined {
  return typicalValue(snapshots.map(({ eventLoop }) => eventLoop.delayMs.p99))
}

/** The event loop is blocked again and again. */
const eventLoopDelay: OptimizationRule = {
  id: 'event-loop-delay',
  measure: typicalDelay,
  find(snapshots) {
    const delayMs = typicalDelay(snapshots)
    if (delayMs === undefined || delayMs < DELAY_LIMIT_MS) return []
    const utilization = snapshots.at(-1)!.eventLoop.utilization
    return [
      {
        title: 'The event loop is blocked',
        severity: delayMs > 4 * DELAY_LIMIT_MS ? 'high' : 'medium',
        evidence: [
          {
            what: '99th percentile of its delay',
            value: delayMs,
            unit: 'ms',
            limit: DELAY_LIMIT_MS,
          },
          { what: 'utilization', value: utilization, unit: 'ratio' },
        ],
        advice: 'Take a CPU profile to see what blocks it.',
        expectedEffect: 'Requests and timers are answered sooner.',
      },
    ]
  },
}

/** Fewer do not tell a leak from the way a heap breathes. */
const MIN_HEAP_SNAPSHOTS = 6
const GROWTH_LIMIT = 0.2

function heapGrowth(snapshots: Snapshots) {
  if (snapshots.length < MIN_HEAP_SNAPSHOTS) return undefined
  const half = Math.floor(snapshots.length / 2)
  // What is left after collections is what counts: the least of each half.
  const least = (part: Snapshots) => Math.min(...part.map(({ memory }) => memory.heapUsed))
  const [before, after] = [least(snapshots.slice(0, half)), least(snapshots.slice(half))]
  const elapsedMs = snapshots.at(-1)!.timestamp - snapshots[0]!.timestamp
  return { share: after / before - 1, bytes: after - before, elapsedMs, after }
}

/** What is in use after collections grows and grows. */
const heapGrows: OptimizationRule = {
  id: 'heap-growth',
  measure: (snapshots) => heapGrowth(snapshots)?.share,
  find(snapshots) {
    const growth = heapGrowth(snapshots)
    if (!growth || growth.share < GROWTH_LIMIT) return []
    return [
      {
        title: 'The heap grows',
        severity: growth.share > 1 ? 'high' : 'medium',
        evidence: [
          { what: 'growth of the heap', value: growth.share, unit: 'ratio', limit: GROWTH_LIMIT },
          { what: 'growth', value: growth.bytes, unit: 'bytes' },
          { what: 'in this time', value: growth.elapsedMs, unit: 'ms' },
          { what: 'heap in use', value: growth.after, unit: 'bytes' },
        ],
        advice:
          'Take a heap profile to see what allocates it: nexus profile --heap, or startProfiling({ heap: true }).',
        expectedEffect: 'Memory stays level, and collections take less time.',
      },
    ]
  },
}

/** Rules over what the process did. */
export const PROCESS_RULES: readonly OptimizationRule[] = [eventLoopDelay, heapGrows]
