import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { GroupRequest } from '@nexus/event-bus'
import { consumerName, consumerNameIn } from '../streams/consumer-name.js'
import type { Redelivery } from '../streams/redelivery.js'
import { type GroupState, inStream, type State } from '../streams/state.js'
import { commonPattern, type PatternSet } from './pattern-sets.js'
import type { SettledBound } from './settled-bound.js'
import type { SkippedEvents } from './skipped-events.js'

const CONSUMER_NOT_FOUND = 10014

/** Describes a consumer whose filter was changed, see `Puller`. */
const FILTER_CHANGED = 'its filter was changed'

/** What it takes to make the consumers of groups on the server. */
export interface ServerConsumersHost {
  state: State
  manager: JetStreamManager
  redelivery: Redelivery
  skipped: SkippedEvents
  settledBound(group: string): SettledBound
}

/** The consumers of groups on the server, which decide what it hands out. */
export class ServerConsumers {
  readonly #host: ServerConsumersHost

  constructor(host: ServerConsumersHost) {
    this.#host = host
  }

  find(stream: string, name: string): Promise<ConsumerInfo | undefined> {
    return this.#host.manager.consumers.info(stream, name).catch(ignoreMissing)
  }

  async remove(stream: string, name: string): Promise<void> {
    await this.#host.manager.consumers.delete(stream, name).catch(ignoreMissing)
  }

  /**
   * Makes sure that the server hands out all that the group asks for. Other processes may change the same at the same
   * time: the one that changed something last looks again.
   *
   * @returns the sets that the group has by then, and whether there was no consumer
   */
  async ensureEvents(
    request: GroupRequest,
    group: GroupState,
    found?: ConsumerInfo,
  ): Promise<{ sets: PatternSet[]; isMade: boolean }> {
    const { state } = this.#host
    const { events } = state.names
    let isMade = false
    for (let wanted = group, known = found; ; known = undefined) {
      const config = this.#eventsConfig(request, wanted)
      const before = await this.#ensure(events, config, known)
      if (before === undefined) isMade = true
      else if (before.config.filter_subject !== config.filter_subject) {
        await this.#makeUp(request, wanted, before.config.filter_subject!)
      }
      const newest = await state.revised<GroupState>(state.names.group(request.name))
      const sets = newest?.value.sets ?? wanted.sets
      if (commonPattern(sets) === commonPattern(wanted.sets)) return { sets, isMade }
      wanted = { ...wanted, sets }
    }
  }

  /** Makes sure that there is a consumer of redeliveries; answers whether there was none. */
  async ensureRedelivery(request: GroupRequest, name: string, filter: string): Promise<boolean> {
    const { manager, state } = this.#host
    const { redelivery } = state.names
    const durable = await consumerNameIn(manager, redelivery, name)
    const before = await this.#ensure(redelivery, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(request.ackWaitMs),
      max_ack_pending: -1,
      filter_subject: filter,
    })
    if (before !== undefined) return false
    if ((await consumerNameIn(manager, redelivery, name)) === durable) return true
    // The stream was made again since. Two consumers of it must not ask for the same.
    await this.remove(redelivery, durable)
    return this.ensureRedelivery(request, name, filter)
  }

  /**
   * Makes the server begin again where the former owner's work is incomplete, so that nothing newer comes
   * before it.
   */
  async takeOver(request: GroupRequest): Promise<void> {
    const { manager, state } = this.#host
    const { events } = state.names
    // Missing when a former owner died, or lost its connection, between the two steps below.
    const { created } = await manager.streams.info(events)
    const durable = consumerName(request.name, created)
    const info = await this.find(events, durable)
    if (info?.num_ack_pending === 0) return
    if (info !== undefined) await this.remove(events, durable)
    const found = await state.revised<GroupState>(state.names.group(request.name))
    if (found === undefined) return
    const group = inStream(found.value, created)
    const startAfter = Math.max(info?.ack_floor.stream_seq ?? 0, group.startAfter)
    await this.ensureEvents(request, { ...group, startAfter })
  }

  /** A consumer that exists keeps its position; what may change of it is brought up to date. Answers what it was before. */
  async #ensure(
    stream: string,
    config: Partial<ConsumerConfig>,
    found?: ConsumerInfo,
  ): Promise<ConsumerInfo | undefined> {
    const { consumers } = this.#host.manager
    const name = config.durable_name!
    const known = found ?? (await this.find(stream, name))
    if (known === undefined) {
      await consumers.add(stream, config)
      return undefined
    }
    const { ack_wait, filter_subject } = config
    if (known.config.ack_wait !== ack_wait || known.config.filter_subject !== filter_subject) {
      const isOther = known.config.filter_subject !== filter_subject
      await consumers.update(stream, name, {
        ack_wait: ack_wait!,
        filter_subject: filter_subject!,
        ...(isOther && { description: FILTER_CHANGED }),
      })
    }
    return known
  }

  /**
   * Hands out what a consumer's filter left out while it was too narrow: the server has gone past it, and does not go
   * back. In order, it begins again with the first such event.
   */
  async #makeUp(request: GroupRequest, group: GroupState, filter: string): Promise<void> {
    const { manager, state, skipped, redelivery, settledBound } = this.#host
    const bound = settledBound(request.name)
    for await (const { sequence, time, deliverAtMs } of skipped.of(request.name, group, filter)) {
      if (request.ordered) {
        const config = this.#eventsConfig(request, { ...group, startAfter: sequence - 1 })
        await this.remove(state.names.events, config.durable_name!)
        await manager.consumers.add(state.names.events, config)
        return
      }
      const eventAtMs = time.getTime()
      const due = deliverAtMs > 0 ? { dueAtMs: deliverAtMs } : {}
      await bound.raise(sequence)
      await redelivery.ensure(request.name, { sequence, eventAtMs, replay: 0, ...due })
    }
  }

  #eventsConfig(request: GroupRequest, group: GroupState): Partial<ConsumerConfig> {
    return {
      durable_name: consumerName(request.name, group.streamCreated),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(request.ackWaitMs),
      max_deliver: -1,
      max_ack_pending: -1,
      filter_subject: this.#host.state.names.eventsOf(commonPattern(group.sets)),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: group.startAfter + 1,
    }
  }
}

/** Whether the filter of a consumer was changed after it was made. */
export function isFilterChanged({ config }: ConsumerInfo): boolean {
  return config.description === FILTER_CHANGED
}

/** Whether a consumer that was asked for is not there. */
export function isConsumerMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND
}

function ignoreMissing(error: unknown): undefined {
  if (isConsumerMissing(error)) return undefined
  throw error
}
