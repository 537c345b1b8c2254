import type { MetricSummary } from '../metrics/metric-summary.js'
import type {
  CpuUsage,
  EventLoopUsage,
  GcUsage,
  MemoryUsage,
  ProcessReading,
} from './process-monitor.js'
import type { ComponentFigures } from './sources.js'

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

  constructor(
    /** Unique in this process. */
    readonly id: string,
    /** When it was taken, in milliseconds since the epoch. */
    readonly timestamp: number,
    reading: ProcessReading,
    /** The metrics recorded in this time. */
    readonly metrics: readonly MetricSummary[],
    /** What the components say. */
    readonly components: ComponentFigures,
  ) {
    this.durationMs = reading.durationMs
    this.cpu = reading.cpu
    this.memory = reading.memory
    this.eventLoop = reading.eventLoop
    this.gc = reading.gc
  }
}
