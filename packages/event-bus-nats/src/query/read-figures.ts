import type { JetStreamManager } from '@nats-io/jetstream'
import type { StoreStats } from '@nexus/event-bus'
import type { Events } from '../streams/events.js'
import type { State } from '../streams/state.js'

/** How much there is, and how far each group is. */
export async function readFigures(
  state: State,
  events: Events,
  manager: JetStreamManager,
): Promise<Pick<StoreStats, 'events' | 'bytes' | 'groups'>> {
  const { names } = state
  const { count, bytes } = await events.range()
  const groups = await Promise.all(
    (await state.groups()).map(async ({ name, patterns }) => {
      const [own, redelivery, later, dead] = await Promise.all([
        manager.consumers.info(names.events, name),
        manager.consumers.info(names.redelivery, name),
        state.subjects(names.delayedOf(name, '*'), names.redelivery),
        state.subjects(names.dead(name, '*')),
      ])
      return {
        group: name,
        patterns,
        // JetStream counts what waits for a retry among what is not acked, older servers also what is not due.
        running: own.num_ack_pending + redelivery.num_ack_pending,
        scheduled: later.length,
        deadLettered: dead.length,
        behind: own.num_pending + redelivery.num_pending,
      }
    }),
  )
  return { events: count, bytes, groups }
}
