import type { EventBus } from '@nexus/event-bus'
import type { MetricsCollector } from '@nexus/metrics'
import manifest from '../../package.json' with { type: 'json' }

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
  system: {
    uptimeSeconds: number
    version: string
    bus: { backend: string; connected: boolean }
  }
}

/** The figures of this process for `GET /api/metrics`, from the counters that feed Prometheus too. */
export async function metricsReport(
  bus: EventBus,
  collector: MetricsCollector,
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
