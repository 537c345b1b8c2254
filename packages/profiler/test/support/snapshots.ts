import { type ComponentFigures, PerformanceSnapshot } from '@nexus/profiler'

/** What a test says of one snapshot; the rest is quiet. */
export interface Scene {
  delayP99Ms?: number
  heapUsed?: number
  components?: ComponentFigures
}

/** Snapshots one second apart, from the second `from` on. */
export function snapshotsOf(scenes: readonly Scene[], from = 1): PerformanceSnapshot[] {
  return scenes.map(({ delayP99Ms = 1, heapUsed = 1e7, components = {} }, i) => {
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
    return new PerformanceSnapshot(id, (from + i) * 1_000, reading, [], components)
  })
}
