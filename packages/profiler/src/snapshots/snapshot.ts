import type { SystemReading } from '@nexus/metrics'
import type { PerformanceMetric } from '../metrics/metric.js'
import { type MetricSummary, summarizeMetrics } from '../metrics/metric-summary.js'
import type { HostState } from './host-state.js'
import type {
  CpuUsage,
  EventLoopUsage,
  GcUsage,
  MemoryUsage,
  ProcessReading,
} from './process-monitor.js'
import type { ComponentFigures } from './sources.js'

/** Metrics that a snapshot keeps: snapshots are kept for long. */
const MAX_METRICS = 100

/** What a process did between the snapshot before and now. */
export class PerformanceSnapshot {
  /** Length of the time this is about, in milliseconds. */
  readonly durationMs: number
  /** CPU time of the process. */
  readonly cpu: CpuUsage
  /** Memory of the process when the snapshot was taken. */
  readonly memory: MemoryUsage
  /** How the event loop did. */
  readonly eventLoop: EventLoopUsage
  /** Garbage collections. */
  readonly gc: GcUsage
  /** How many metrics were recorded in this time and are kept, whatever their timestamps. */
  readonly metricCount: number
  /** The newest 100 of them, oldest first. */
  readonly metrics: readonly PerformanceMetric[]
  /** All of them, added up by name and unit. */
  readonly metricSummaries: readonly MetricSummary[]

  constructor(
    /** Unique in this process. */
    readonly id: string,
    /** When it was taken, in milliseconds since the epoch. */
    readonly timestamp: number,
    reading: ProcessReading,
    recorded: readonly PerformanceMetric[],
    /** What the components say. */
    readonly components: ComponentFigures,
    /** What the machine did, or the container that limits it, and the share of this process. */
    readonly system: SystemReading,
    /** Figures of the machine that are read less often; absent until they were read. */
    readonly host?: HostState | undefined,
  ) {
    this.durationMs = reading.durationMs
    this.cpu = reading.cpu
    this.memory = reading.memory
    this.eventLoop = reading.eventLoop
    this.gc = reading.gc
    this.metricCount = recorded.length
    this.metrics = recorded.slice(-MAX_METRICS)
    this.metricSummaries = summarizeMetrics(recorded)
  }
}
