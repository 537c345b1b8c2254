import type { EventBus, SubscriptionStats } from '@nexus/event-bus'
import type { BusFigures } from '@nexus/metrics'

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
