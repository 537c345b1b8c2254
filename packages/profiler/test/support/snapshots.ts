import type { SystemReading } from '@nexus/metrics'
import { type ComponentFigures, PerformanceSnapshot } from '@nexus/profiler'

/** What a test says of one snapshot; the rest is quiet. */
export interface Scene {
  delayP99Ms?: number
  heapUsed?: number
  components?: ComponentFigures
  system?: DeepPartial<SystemReading>
  busiest?: string[]
}

type DeepPartial<T> = {
  [K in keyof T]?: T[K] extends object | undefined ? DeepPartial<T[K]> : T[K]
}

/** Snapshots one second apart, from the second `from` on. */
export function snapshotsOf(scenes: readonly Scene[], from = 1): PerformanceSnapshot[] {
  return scenes.map(
    ({ delayP99Ms = 1, heapUsed = 1e7, components = {}, system, busiest = [] }, i) => {
      const reading = {
        durationMs: 1_000,
        cpu: { userPercent: 5, systemPercent: 1 },
        memory: { rss: 5e7, heapUsed, heapTotal: 2e7, external: 0, arrayBuffers: 0 },
        eventLoop: {
          delayMs: { mean: 1, p50: 1, p99: delayP99Ms, max: delayP99Ms },
          utilization: 0.2,
        },
        gc: { count: 0, totalMs: 0, longestMs: 0, byKind: {} },
      }
      const id = `snapshot-${from + i}`
      return new PerformanceSnapshot(
        id,
        (from + i) * 1_000,
        reading,
        [],
        components,
        systemOf(system),
        {
          timestamp: 0,
          fileSystems: [],
          processes: {
            count: 1,
            busiest: busiest.map((name) => ({ name, pid: 1, cpuPercent: 1, memoryBytes: 1 })),
          },
        },
      )
    },
  )
}

/** A machine with everything to spare, but for what is said of it. */
function systemOf(said: Scene['system'] = {}): SystemReading {
  const quiet = {
    scope: 'machine',
    durationMs: 1_000,
    cpu: {
      ...{ cores: 2, busyRatio: 0.1, busyRatioByCore: [0.1, 0.1], processRatio: 0.05 },
      load: { 1: 0, 5: 0, 15: 0 },
    },
    memory: { totalBytes: 1e9, availableBytes: 8e8, processBytes: 5e7 },
    disks: { data: { totalBytes: 1e11, availableBytes: 5e10 } },
  }
  return {
    ...quiet,
    ...said,
    cpu: { ...quiet.cpu, ...said.cpu },
    memory: { ...quiet.memory, ...said.memory },
    disks: { ...quiet.disks, ...said.disks },
  } as SystemReading
}
