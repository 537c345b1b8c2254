import type { PerformanceSnapshot } from '../snapshots/snapshot.js'
import { type ComponentFigures, totalOf } from '../snapshots/sources.js'
import type { Finding, OptimizationRule } from './finding.js'

type Snapshots = readonly PerformanceSnapshot[]

/** How much a total grew from the first snapshot to the last; undefined when it was not reported. */
function growth(
  snapshots: Snapshots,
  figure: (components: ComponentFigures) => number | undefined,
): number | undefined {
  const values = snapshots
    .map(({ components }) => figure(components))
    .filter((value) => value !== undefined)
  const [first, last] = [values[0], values.at(-1)]
  // A total that went down began again at zero.
  return values.length < 2 ? undefined : Math.max(0, last! - first!)
}

const MIN_LOOKUPS = 100

/** The components that are caches. */
type Cache = 'cache' | 'handlers'

function cacheHitRate(
  snapshots: Snapshots,
  cache: Cache,
): { rate: number; lookups: number } | undefined {
  const hits = growth(snapshots, ({ [cache]: figures }) => figures && totalOf(figures.hits))
  const misses = growth(snapshots, ({ [cache]: figures }) => figures?.misses)
  if (hits === undefined || misses === undefined || hits + misses < MIN_LOOKUPS) return undefined
  return { rate: hits / (hits + misses), lookups: hits + misses }
}

function cacheEvictions(snapshots: Snapshots, cache: Cache): number {
  return growth(snapshots, ({ [cache]: figures }) => figures && totalOf(figures.evictions)) ?? 0
}

const GOOD_HIT_RATE = 0.9

/** What a cache threw away for space is needed again. */
function tooSmall(
  cache: Cache,
  texts: Pick<OptimizationRule, 'id'> & Pick<Finding, 'title' | 'advice' | 'expectedEffect'>,
): OptimizationRule {
  const { id, ...finding } = texts
  return {
    id,
    measure: (snapshots) => cacheHitRate(snapshots, cache)?.rate,
    find(snapshots) {
      const found = cacheHitRate(snapshots, cache)
      const evictions = cacheEvictions(snapshots, cache)
      if (!found || found.rate >= GOOD_HIT_RATE || evictions === 0) return []
      return [
        {
          ...finding,
          severity: found.rate < 0.5 ? 'high' : 'medium',
          evidence: [
            { what: 'cache hit rate', value: found.rate, unit: 'ratio', limit: GOOD_HIT_RATE },
            { what: 'evictions', value: evictions, unit: 'entries', limit: 0 },
            { what: 'look-ups', value: found.lookups, unit: 'look-ups' },
          ],
          turn: { knob: `${cache}.maxBytes`, factor: 2 },
        },
      ]
    },
  }
}

const cacheTooSmall = tooSmall('cache', {
  id: 'cache-too-small',
  title: 'The compile cache is too small for the functions in use',
  advice: 'Double the memory of the compile cache.',
  expectedEffect: 'Functions stay compiled, so fewer executions wait for the compiler.',
})

const handlersTooSmall = tooSmall('handlers', {
  id: 'handlers-too-small',
  title: 'Threads drop functions for space and load them again',
  advice: 'Double what each thread keeps of the functions it has loaded.',
  expectedEffect: 'Functions stay ready, so fewer calls wait until their module has run.',
})

/** Compiling happens often although nothing is thrown away: more memory would not help. */
const cacheMisses: OptimizationRule = {
  id: 'cache-misses',
  measure: (snapshots) => cacheHitRate(snapshots, 'cache')?.rate,
  find(snapshots) {
    const found = cacheHitRate(snapshots, 'cache')
    if (!found || found.rate >= GOOD_HIT_RATE || cacheEvictions(snapshots, 'cache') > 0) return []
    return [
      {
        title: 'Functions are compiled although the cache has room',
        severity: 'medium',
        evidence: [
          { what: 'cache hit rate', value: found.rate, unit: 'ratio', limit: GOOD_HIT_RATE },
          { what: 'look-ups', value: found.lookups, unit: 'look-ups' },
        ],
        advice:
          'Keep the source of a function the same between calls, and keep the disk cache across restarts.',
        expectedEffect: 'Each source is compiled once.',
      },
    ]
  },
}

/** Waiting in this share of the snapshots is no accident. */
const WAITING_SHARE = 0.5

function waitingShare(snapshots: Snapshots): number | undefined {
  const waiting = snapshots.flatMap(({ components }) => components.pool?.waiting ?? [])
  if (waiting.length < 3) return undefined
  return waiting.filter((calls) => calls > 0).length / waiting.length
}

/** Calls wait for an instance. */
const poolWaits: OptimizationRule = {
  id: 'pool-waits',
  measure: waitingShare,
  find(snapshots) {
    const share = waitingShare(snapshots)
    if (share === undefined || share < WAITING_SHARE) return []
    const most = Math.max(...snapshots.map(({ components }) => components.pool?.waiting ?? 0))
    return [
      {
        title: 'Calls wait for a sandbox instance',
        severity: share > 0.9 ? 'high' : 'medium',
        evidence: [
          {
            what: 'snapshots with calls waiting',
            value: share,
            unit: 'ratio',
            limit: WAITING_SHARE,
          },
          { what: 'most calls waiting', value: most, unit: 'calls' },
        ],
        advice: 'Raise the number of instances by half.',
        expectedEffect: 'Calls start at once while there is CPU left; each instance costs memory.',
        turn: { knob: 'pool.maxInstances', factor: 1.5 },
      },
    ]
  },
}

/** Handlers run past their hard deadline in native code. */
const threadKills: OptimizationRule = {
  id: 'thread-kills',
  measure: (snapshots) => growth(snapshots, ({ threads }) => threads?.kills),
  find(snapshots) {
    const kills = growth(snapshots, ({ threads }) => threads?.kills) ?? 0
    if (kills === 0) return []
    const functions = Object.entries(snapshots.at(-1)?.components.functions ?? {})
    const suspects = functions.filter(([, figures]) => figures.failuresByCode?.TIMEOUT)
    const names = suspects.map(([name]) => name).join(', ')
    return [
      {
        title: 'Threads were terminated because a handler did not stop',
        severity: 'high',
        evidence: [{ what: 'threads terminated', value: kills, unit: 'threads', limit: 0 }],
        advice: names
          ? `Look at the functions that ran into their time limit: ${names}.`
          : 'Look for handlers with huge arrays, texts or regular expressions.',
        expectedEffect: 'No neighbour has to run again, and no thread has to be replaced.',
      },
    ]
  },
}

const SLOW_US = 1_000_000
const SLOW_FACTOR = 10
const MIN_EXECUTIONS = 20

/** A function is slow by itself, or much slower than the others. */
const slowFunctions: OptimizationRule = {
  id: 'slow-function',
  measure: (snapshots, subject) =>
    subject === undefined
      ? undefined
      : snapshots.at(-1)?.components.functions?.[subject]?.durationUs.p95,
  find(snapshots) {
    const functions = Object.entries(snapshots.at(-1)?.components.functions ?? {}).filter(
      ([, { executions }]) => executions >= MIN_EXECUTIONS,
    )
    const p95s = functions.map(([, { durationUs }]) => durationUs.p95).sort((a, b) => a - b)
    const median = p95s[Math.floor((p95s.length - 1) / 2)] ?? 0
    return functions.flatMap(([name, { durationUs, executions }]) => {
      const isOutlier = functions.length >= 3 && durationUs.p95 > median * SLOW_FACTOR
      if (durationUs.p95 < SLOW_US && !isOutlier) return []
      const limit = durationUs.p95 >= SLOW_US ? SLOW_US : median * SLOW_FACTOR
      return [
        {
          subject: name,
          title: `${name} is slow`,
          severity: durationUs.p95 >= SLOW_US ? ('high' as const) : ('low' as const),
          evidence: [
            { what: '95th percentile of its duration', value: durationUs.p95, unit: 'µs', limit },
            { what: 'average duration', value: durationUs.avg, unit: 'µs' },
            { what: 'executions', value: executions, unit: 'executions' },
          ] as const,
          advice: 'Profile it, and move waiting for other services out of the handler.',
          expectedEffect: 'Its events are done sooner, and its instances are free for others.',
        },
      ]
    })
  },
}

/** Rules over what the components report. */
export const COMPONENT_RULES: readonly OptimizationRule[] = [
  cacheTooSmall,
  handlersTooSmall,
  cacheMisses,
  poolWaits,
  threadKills,
  slowFunctions,
]
