import { EventBus, memoryStore } from '@nexus/event-bus'
import { MetricsRegistry } from '@nexus/metrics'
import { describe, expect, it, onTestFinished } from 'vitest'
import { observeBus } from './observe-bus.js'

async function scrape(registry: MetricsRegistry): Promise<string[]> {
  let text = ''
  for await (const chunk of registry.scrape()) text += chunk
  return text.split('\n').filter((line) => line && !line.startsWith('#'))
}

describe('observeBus', () => {
  it('reports what the bus and each group did, and nothing once it is removed', async () => {
    const bus = await EventBus.open({ store: memoryStore() })
    onTestFinished(() => bus.close())
    const registry = new MetricsRegistry()
    const before = registry.toPrometheus()
    const detach = observeBus(registry, bus)
    const handled: string[] = []
    const good = bus.subscribe(
      'a',
      ({ event }) => {
        handled.push(event.id)
      },
      { group: 'good' },
    )
    const bad = bus.subscribe(
      'a',
      () => {
        throw new Error('bad')
      },
      { group: 'bad', retry: { maxAttempts: 2, baseDelayMs: 1 } },
    )
    await Promise.all([good.ready, bad.ready])
    await bus.publish({ type: 'a' })
    await expect
      .poll(async () => (await scrape(registry)).sort())
      .toEqual([
        'nexus_event_lag{group="bad"} 0',
        'nexus_event_lag{group="good"} 0',
        'nexus_event_retries_total{group="bad"} 1',
        'nexus_event_retries_total{group="good"} 0',
        'nexus_events_dead_lettered_total{group="bad"} 1',
        'nexus_events_dead_lettered_total{group="good"} 0',
        'nexus_events_delivered_total{group="bad"} 0',
        'nexus_events_delivered_total{group="good"} 1',
        'nexus_events_failed_total{group="bad"} 2',
        'nexus_events_failed_total{group="good"} 0',
        'nexus_events_published_total 1',
        'nexus_events_removed_total 0',
        'nexus_events_replayed_total 0',
      ])
    expect(() => observeBus(registry, bus)).toThrow(/nexus_events_published_total/)
    detach()
    expect(registry.toPrometheus()).toBe(before)
    expect(handled).toHaveLength(1)
  })
})
