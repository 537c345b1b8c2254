import type { CacheFigures } from './cache-report.js'
import type { MachineReport } from './machine-report.js'

/** Counters of the running process: they start at zero with it. */
export interface MetricsReport {
  /** Events and their deliveries. */
  events: {
    /** Events stored, those that functions emitted included. */
    published: number
    replayed: number
    /** Deliveries that ended as dead letters. */
    failed: number
    /** Deliveries that ended well, of those that ended; `null` before the first. */
    successRatePercent: number | null
  }
  /** Calls of functions. */
  functions: {
    /** Calls of handlers, retries included. */
    executed: number
    succeeded: number
    failed: number
    successRatePercent: number | null
    /** Mean time of a call in milliseconds; `null` before the first. */
    averageDurationMs: number | null
  }
  /** The caches of compiled code; absent from servers that do not show them. */
  cache?: CacheFigures
  /** The process, and its event store. */
  system: {
    uptimeSeconds: number
    version: string
    bus: { backend: string; connected: boolean }
    /** The machine since the request before; absent from servers that do not show it. */
    machine?: MachineReport
  }
}
