import type { MetricsReport } from '@nexus/client'
import type { EventBus, SubscriptionStats } from '@nexus/event-bus'
import type { BusFigures, MetricsCollector } from '@nexus/metrics'
import manifest from '../package.json' with { type: 'json' }

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

/** The figures of the bus for Prometheus; those of the sandbox come from the sandbox itself. */
export async function busFigures(bus: EventBus): Promise<BusFigures> {
  const { published, emitted, replayed, subscriptions, store } = await bus.getStats()
  const byGroup = (count: (subscription: SubscriptionStats) => number) =>
    Object.fromEntries(subscriptions.map((stats) => [stats.group, count(stats)]))
  return {
    published: published + emitted,
    replayed,
    removed: store.removed.events,
    delivered: byGroup(({ succeeded }) => succeeded),
    failed: byGroup(({ failed }) => failed),
    retries: byGroup(({ retried }) => retried),
    deadLettered: byGroup(({ deadLettered }) => deadLettered),
    lag: Object.fromEntries(
      store.groups.map(({ group, behind, running, scheduled }) => [
        group,
        behind + running + scheduled,
      ]),
    ),
  }
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : (part / whole) * 100
}
