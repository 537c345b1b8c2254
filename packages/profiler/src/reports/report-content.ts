import type { MetricSummary } from '../metrics/metric-summary.js'
import type { Optimization } from '../optimizations/optimization.js'
import type { UxImprovement } from '../pages/ux-improvement.js'
import type { CpuProfile, HeapProfile } from '../profiling/profile.js'
import type { HostFacts } from '../snapshots/host-facts.js'
import type { PerformanceSnapshot } from '../snapshots/snapshot.js'

/** What a report is made of. */
export interface ReportContent {
  /** Unique among the reports of this client, such as `report-1`. */
  id: string
  /** Name of the report and of its files. */
  name: string
  /** When the time that it is about began, in milliseconds since the epoch. */
  startedMs: number
  /** When that time ended, in milliseconds since the epoch. */
  endedMs: number
  /** Oldest first; at least one. */
  snapshots: readonly PerformanceSnapshot[]
  /** How many metrics were recorded in this time and are kept. */
  metricCount: number
  /** They, added up by name and unit. */
  metrics: readonly MetricSummary[]
  /** What could be better, and what was applied. */
  optimizations: readonly Optimization[]
  /** What people wait for too long. */
  uxImprovements: readonly UxImprovement[]
  /** What to do next, in one sentence each, the most severe first: from both lists above. */
  recommendations: readonly string[]
  /** What the machine is; there once `getHostFacts()` was called. */
  host: HostFacts | undefined
  /** Where CPU time went. */
  cpuProfile: CpuProfile | undefined
  /** Where memory was allocated. */
  heapProfile: HeapProfile | undefined
}
