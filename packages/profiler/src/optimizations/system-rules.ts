import type { PerformanceSnapshot } from '../snapshots/snapshot.js'
import type { Finding, OptimizationRule } from './finding.js'
import { typicalValue } from './typical-value.js'

type Snapshots = readonly PerformanceSnapshot[]

/** A shorter time says little about a machine. */
const MIN_DURATION_MS = 1000

function typical(snapshots: Snapshots, figure: (of: PerformanceSnapshot) => number | undefined) {
  const values = snapshots
    .filter(({ system }) => system.durationMs >= MIN_DURATION_MS)
    .map(figure)
    .filter((value) => value !== undefined)
  return typicalValue(values)
}

const FREE_LIMIT = 0.1

function freeShare(snapshots: Snapshots, disk: string | undefined): number | undefined {
  const space = disk === undefined ? undefined : snapshots.at(-1)?.system.disks[disk]
  return space && space.totalBytes > 0 ? space.availableBytes / space.totalBytes : undefined
}

/** A disk that fills up stops what writes to it. */
const diskNearlyFull: OptimizationRule = {
  id: 'disk-nearly-full',
  measure: freeShare,
  find(snapshots) {
    const disks = snapshots.at(-1)?.system.disks ?? {}
    return Object.entries(disks).flatMap(([subject, { availableBytes }]): Finding[] => {
      const free = freeShare(snapshots, subject)
      if (free === undefined || free >= FREE_LIMIT) return []
      return [
        {
          subject,
          title: `The disk of ${subject} is nearly full`,
          severity: free < FREE_LIMIT / 2 ? 'high' : 'medium',
          evidence: [
            { what: 'free share of it', value: free, unit: 'ratio', limit: FREE_LIMIT },
            { what: 'free', value: availableBytes, unit: 'bytes' },
          ],
          advice:
            'Remove what is no longer needed, keep events for a shorter time, or take a larger disk.',
          expectedEffect: 'Events can be stored: with a full disk none can.',
        },
      ]
    })
  },
}

const AVAILABLE_LIMIT = 0.1

const availableShare = (snapshots: Snapshots) =>
  typical(snapshots, ({ system: { memory } }) =>
    memory.totalBytes > 0 ? memory.availableBytes / memory.totalBytes : undefined,
  )

/** Without memory to spare the system swaps, or ends a process. */
const memoryPressure: OptimizationRule = {
  id: 'memory-pressure',
  measure: availableShare,
  find(snapshots) {
    const share = availableShare(snapshots)
    if (share === undefined || share >= AVAILABLE_LIMIT) return []
    const { scope, memory } = snapshots.at(-1)!.system
    const own = memory.processBytes / memory.totalBytes
    const swapped = memory.swap?.usedBytes ?? 0
    return [
      {
        title: `Memory of the ${scope} is nearly used up`,
        severity: share < AVAILABLE_LIMIT / 2 ? 'high' : 'medium',
        evidence: [
          {
            what: 'available share of memory',
            value: share,
            unit: 'ratio',
            limit: AVAILABLE_LIMIT,
          },
          { what: 'share of this process', value: own, unit: 'ratio' },
          { what: 'swapped out', value: swapped, unit: 'bytes' },
        ],
        advice:
          own >= 0.5
            ? 'Keep fewer instances and smaller caches, or give the process more memory.'
            : `Most of it belongs to other programs of the ${scope}: give them less, or run this one elsewhere.`,
        expectedEffect: 'The system neither swaps nor ends the process.',
      },
    ]
  },
}

const BUSY_LIMIT = 0.85
const STEAL_LIMIT = 0.1

function neighbours(snapshots: Snapshots) {
  const busy = typical(snapshots, ({ system: { cpu } }) => cpu.busyRatio)
  const own = typical(snapshots, ({ system: { cpu } }) => cpu.processRatio)
  const steal = typical(snapshots, ({ system: { cpu } }) => cpu.stealRatio) ?? 0
  return busy === undefined || own === undefined
    ? undefined
    : { busy, own, steal, others: busy - own }
}

/** Others use the processors that this process needs. */
const noisyNeighbour: OptimizationRule = {
  id: 'noisy-neighbour',
  measure: (snapshots) => neighbours(snapshots)?.others,
  find(snapshots) {
    const found = neighbours(snapshots)
    if (!found) return []
    const { busy, own, steal, others } = found
    const isCrowded = busy >= BUSY_LIMIT && others > own
    if (!isCrowded && steal < STEAL_LIMIT) return []
    const names = snapshots.at(-1)!.host?.processes.busiest.map(({ name }) => name) ?? []
    const who = names.length > 0 ? ` (the busiest programs: ${names.join(', ')})` : ''
    return [
      {
        title: 'Others use most of the processors',
        severity: steal >= STEAL_LIMIT || others > 3 * own ? 'high' : 'medium',
        evidence: [
          { what: 'share of others in the processors', value: others, unit: 'ratio' },
          { what: 'share of this process', value: own, unit: 'ratio' },
          { what: 'busy', value: busy, unit: 'ratio', limit: BUSY_LIMIT },
          { what: 'taken by the hypervisor', value: steal, unit: 'ratio', limit: STEAL_LIMIT },
        ],
        advice: `Move this process or the others to another machine, or reserve processors for it${who}.`,
        expectedEffect: 'Functions take the time that they need, not that of others.',
      },
    ]
  },
}

const THROTTLED_LIMIT = 0.1

const throttledShare = (snapshots: Snapshots) =>
  typical(snapshots, ({ system: { cpu } }) => cpu.throttledRatio)

/** The container uses more than it is given, and waits. */
const cpuThrottled: OptimizationRule = {
  id: 'cpu-throttled',
  measure: throttledShare,
  find(snapshots) {
    const share = throttledShare(snapshots)
    if (share === undefined || share < THROTTLED_LIMIT) return []
    const { cores } = snapshots.at(-1)!.system.cpu
    return [
      {
        title: 'The container waits because it has used its processor time',
        severity: share > 3 * THROTTLED_LIMIT ? 'high' : 'medium',
        evidence: [
          {
            what: 'share of the time that it waits',
            value: share,
            unit: 'ratio',
            limit: THROTTLED_LIMIT,
          },
          { what: 'its limit', value: cores, unit: 'cores' },
        ],
        advice: 'Raise the CPU limit of the container, or run no more threads than it allows.',
        expectedEffect: 'Calls no longer stop for tens of milliseconds in the middle.',
      },
    ]
  },
}

/** Rules over what the machine did. */
export const SYSTEM_RULES: readonly OptimizationRule[] = [
  diskNearlyFull,
  memoryPressure,
  noisyNeighbour,
  cpuThrottled,
]
