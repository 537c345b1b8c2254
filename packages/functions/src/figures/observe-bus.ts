import type { EventBus } from '@nexus/event-bus'
import type { MetricsRegistry } from '@nexus/metrics'
import { CALL } from '../suspension/stored-suspension.js'
import { resumeType } from '../suspension/suspension-events.js'

const gauge = (name: string, help: string) => ({ type: 'gauge', name, help }) as const
const counter = (name: string, help: string) => ({ type: 'counter', name, help }) as const
const byGroup = { labelNames: ['group'] } as const

const metrics = {
  published: counter('nexus_events_published_total', 'Events stored by the bus.'),
  delivered: {
    ...counter('nexus_events_delivered_total', 'Events handed to the consumers of a group.'),
    ...byGroup,
  },
  failed: {
    ...counter('nexus_events_failed_total', 'Deliveries whose handler failed.'),
    ...byGroup,
  },
  retries: { ...counter('nexus_event_retries_total', 'Deliveries tried again.'), ...byGroup },
  deadLettered: {
    ...counter('nexus_events_dead_lettered_total', 'Events that became dead letters.'),
    ...byGroup,
  },
  replayed: counter('nexus_events_replayed_total', 'Events replayed.'),
  removed: counter('nexus_events_removed_total', 'Events removed by retention.'),
  suspended: {
    ...gauge('nexus_suspended_calls', 'Calls of a function that stand still, on all machines.'),
    ...byGroup,
  },
  lag: { ...gauge('nexus_event_lag', 'Events stored that a group has not finished.'), ...byGroup },
}

/**
 * Adds the figures of an event bus to a registry; they are read for each scrape. Those of the sandbox come from the
 * `WasmRuntime` itself.
 *
 * @returns a function that removes them again
 * @throws MetricsError `NAME_TAKEN` when the registry already has those of another bus
 *
 * @example
 * ```ts
 * const registry = new MetricsRegistry()
 * const detach = observeBus(registry, bus)
 * ```
 */
export function observeBus(registry: MetricsRegistry, bus: EventBus): () => void {
  return registry.observe({
    metrics,
    async collect(observe) {
      const { published, emitted, replayed, subscriptions, store } = await bus.getStats()
      observe.published(published + emitted)
      observe.replayed(replayed)
      observe.removed(store.removed.events)
      for (const { group, succeeded, failed, retried, deadLettered } of subscriptions) {
        observe.delivered(succeeded, { group })
        observe.failed(failed, { group })
        observe.retries(retried, { group })
        observe.deadLettered(deadLettered, { group })
      }
      for (const { group, behind, running, scheduled } of store.groups) {
        observe.lag(behind + running + scheduled, { group })
      }
      for (const { group, patterns } of store.groups) {
        if (!patterns.includes(resumeType(group))) continue
        observe.suspended(await bus.states.count(group, CALL), { group })
      }
    },
  })
}
