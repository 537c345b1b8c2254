import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream'
import type { StoreStats } from '@nexus/event-bus'
import { isConsumerMissing } from '../group/server-consumers.js'
import { consumerName } from '../streams/consumer-name.js'
import type { Events } from '../streams/events.js'
import type { State } from '../streams/state.js'

type Pending = Pick<ConsumerInfo, 'num_ack_pending' | 'num_pending'>

/** How much there is, and how far each group is. */
export async function readFigures(
  state: State,
  events: Events,
  manager: JetStreamManager,
): Promise<Pick<StoreStats, 'events' | 'bytes' | 'groups'>> {
  const { names } = state
  const { count, bytes } = await events.range()
  const [{ created }, redeliveries] = await Promise.all([
    manager.streams.info(names.events),
    manager.streams.info(names.redelivery),
  ])
  const redelivered = (name: string) => {
    const consumer = consumerName(name, redeliveries.created)
    return manager.consumers.info(names.redelivery, consumer)
  }
  const parkedOf = async (group: string): Promise<Pending> => {
    try {
      return await redelivered(names.parkedConsumer(group))
    } catch (error) {
      // A group whose processes all ask for the same has none.
      if (isConsumerMissing(error)) return { num_ack_pending: 0, num_pending: 0 }
      throw error
    }
  }
  const groups = await Promise.all(
    (await state.groups()).map(async ({ name, sets }) => {
      const [own, redelivery, parked, later, dead] = await Promise.all([
        manager.consumers.info(names.events, consumerName(name, created)),
        redelivered(name),
        parkedOf(name),
        state.subjects(names.delayedOf(name, '*'), names.redelivery),
        state.subjects(names.dead(name, '*')),
      ])
      return {
        group: name,
        patterns: sets.at(-1)!.patterns,
        // JetStream counts what waits for a retry among what is not acked, older servers also what is not due.
        running: own.num_ack_pending + redelivery.num_ack_pending + parked.num_ack_pending,
        scheduled: later.length,
        deadLettered: dead.length,
        behind: own.num_pending + redelivery.num_pending + parked.num_pending,
      }
    }),
  )
  return { events: count, bytes, groups }
}
