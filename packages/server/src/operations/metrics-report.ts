import type { EventBus } from '@nexus/event-bus'
import type { RuntimeCache } from '@nexus/executor'
import type { MetricsCollector, SystemReading } from '@nexus/metrics'
import manifest from '../../package.json' with { type: 'json' }
import { type CacheReport, cacheReport } from './cache-report.js'

/** Counters of the running process: they start at zero with it. */
export interface MetricsReport {
  events: {
    /** Events stored, those that functions emitted included. */
    published: number
    replayed: number
    /** Deliveries that ended as dead letters. */
    failed: number
    /** Deliveries that ended well, of those that ended; `null` before the first. */
    successRatePercent: number | null
  }
  functions: {
    /** Calls of handlers, retries included. */
    executed: number
    succeeded: number
    failed: number
    successRatePercent: number | null
    /** Mean time of a call in milliseconds; `null` before the first. */
    averageDurationMs: number | null
  }
  /** The caches of compiled code; absent where the server was given no runtime. */
  cache?: CacheReport
  system: {
    uptimeSeconds: number
    version: string
    bus: { backend: string; connected: boolean }
    /** The machine since the request before; absent where the server was given no monitor. */
    machine?: SystemReading
  }
}

/** The figures of this process for `GET /api/metrics`, from the counters that feed Prometheus too. */
export async function metricsReport(
  bus: EventBus,
  collector: MetricsCollector,
  cache: RuntimeCache | undefined,
): Promise<MetricsReport> {
  const stats = await bus.getStats()
  const { executions, succeeded, failed, durationUs } = collector.getStats().totals
  return {
    events: {
      published: stats.published + stats.emitted,
      replayed: stats.replayed,
      failed: stats.deadLettered,
      successRatePercent: percent(stats.delivered, stats.delivered + stats.deadLettered),
    },
    functions: {
      executed: executions,
      succeeded,
      failed,
      successRatePercent: percent(succeeded, executions),
      averageDurationMs: executions === 0 ? null : durationUs.avg / 1000,
    },
    ...(cache && { cache: cacheReport(cache) }),
    system: {
      uptimeSeconds: process.uptime(),
      version: manifest.version,
      bus: { backend: stats.store.backend, connected: stats.store.connected },
    },
  }
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : (part / whole) * 100
}
