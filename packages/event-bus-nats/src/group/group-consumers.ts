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
import type { ServerClock } from '../connection/server-clock.js'
import { isFull } from '../connection/unavailable.js'
import { type GroupState, inStream, type State } from '../streams/state.js'
import { commonPattern, keyOf, withoutProcess, withPatterns } from './pattern-sets.js'

const CONSUMER_NOT_FOUND = 10014

/** How far a group is. */
export interface GroupPosition {
  /** Sequence up to which the group has settled everything. */
  settledUntil: number
  /** When the stream of events was made that the sequence is of; one that is made again counts from the beginning. */
  streamCreated: string
}

/** A group that a process takes part in. */
export interface JoinedGroup extends GroupPosition {
  group: GroupState
  forgotten: boolean
}

/** What the consumers of all groups need of their store. */
export interface GroupConsumersHost {
  state: State
  manager: JetStreamManager
  clock: Pick<ServerClock, 'now'>
  /** Sequence after which a group that is not known yet begins. */
  startAfter(request: GroupRequest): Promise<number>
}

/** How a process says which patterns it asks for. */
interface PatternsToAdd {
  own?: ConsumerInfo | undefined
  startAfter?: number | undefined
  streamCreated: string
  /** It takes part from now on; else it did before. */
  joins: boolean
}

/** Makes, changes and removes what a group has on the server. */
export class GroupConsumers {
  readonly #host: GroupConsumersHost

  constructor(host: GroupConsumersHost) {
    this.#host = host
  }

  read(name: string): Promise<GroupState | undefined> {
    const { state } = this.#host
    return state.revised<GroupState>(state.names.group(name)).then((found) => found?.value)
  }

  /**
   * Makes what a group needs on the server, and says which patterns this process asks for.
   *
   * @param known where the group is known to be, should the server have forgotten it
   * @returns the group, up to where it has settled everything, and whether the server had forgotten any of it
   */
  async join(request: GroupRequest, known?: GroupPosition): Promise<JoinedGroup> {
    const { names } = this.#host.state
    const streamCreated = await this.#streamCreated()
    const isOther = known !== undefined && known.streamCreated !== streamCreated
    const startAfter = isOther ? 0 : known?.settledUntil
    let own = await this.#info(names.events, request.name)
    const isLeftOver = own !== undefined && startAfter === undefined
    if (isLeftOver && (await this.read(request.name)) === undefined) {
      await this.#clear(request.name)
      own = undefined
    }
    const { group, isNew, isParkedLost } = await this.#addPatterns(request, {
      own,
      startAfter,
      streamCreated,
      joins: true,
    })
    let forgotten = isNew || isParkedLost || own === undefined
    if (await this.#ensure(names.events, this.#eventsConfig(request, group), own)) forgotten = true
    if (await this.#ensureRedelivery(request, request.name, names.redeliveryOf(request.name, '*')))
      forgotten = true
    // Another process may have added patterns since, and this one taken them out of the filter again.
    const newest = await this.read(request.name)
    if (newest !== undefined && commonPattern(newest.sets) !== commonPattern(group.sets)) {
      return { ...(await this.join(request, known)), forgotten }
    }
    if ((await this.#streamCreated()) !== streamCreated) {
      // Made again since: what was made above may begin behind the first events of the new one.
      await this.#host.manager.consumers.delete(names.events, request.name).catch(ignoreMissing)
      return this.join(request, { settledUntil: 0, streamCreated: '' })
    }
    const settledUntil = own?.ack_floor.stream_seq ?? group.startAfter
    return { group, settledUntil, streamCreated, forgotten }
  }

  /** Says that the patterns are still in use. */
  async confirm(request: GroupRequest): Promise<void> {
    await this.#addPatterns(request, {
      streamCreated: await this.#streamCreated(),
      joins: false,
    })
  }

  /** Says that a process with these patterns has closed. */
  async leave({ name, patterns }: GroupRequest): Promise<void> {
    const { state, clock } = this.#host
    for (;;) {
      const found = await state.revised<GroupState>(state.names.group(name))
      if (found === undefined) return
      const sets = withoutProcess(found.value.sets, patterns, clock.now())
      const group = { ...found.value, sets }
      if ((await state.replace(state.names.group(name), group, found.revision)) !== undefined)
        return
    }
  }

  /**
   * Makes the server begin again where the former owner's work is incomplete, so that nothing newer comes
   * before it.
   */
  async takeOver(request: GroupRequest): Promise<void> {
    const { manager, state } = this.#host
    const { events } = state.names
    // Missing when a former owner died, or lost its connection, between the two steps below.
    const info = await this.#info(events, request.name)
    if (info?.num_ack_pending === 0) return
    if (info !== undefined) await manager.consumers.delete(events, request.name)
    const group = inStream((await this.read(request.name))!, await this.#streamCreated())
    const startAfter = Math.max(info?.ack_floor.stream_seq ?? 0, group.startAfter)
    await manager.consumers.add(events, this.#eventsConfig(request, { ...group, startAfter }))
  }

  /** Removes a group; false where there was none. */
  async remove(name: string): Promise<boolean> {
    const { state } = this.#host
    if ((await this.read(name)) === undefined) return false
    // First the group: a process that still takes part makes it again, from where it is by then.
    await state.remove(state.names.group(name))
    await this.#clear(name)
    return true
  }

  /** The consumers go last: they tell that a removal was not finished. */
  async #clear(name: string): Promise<void> {
    const { manager, state } = this.#host
    const { names } = state
    for (const subject of ['redeliveryOf', 'delayedOf', 'parkedOf'] as const) {
      await manager.streams.purge(names.redelivery, { filter: names[subject](name, '*') })
    }
    for (const subject of [names.delivery(name, '*'), names.dead(name, '*')]) {
      await state.remove(subject)
    }
    await state.remove(names.settledBound(name))
    const consumers = [
      [names.redelivery, names.parkedConsumer(name)],
      [names.redelivery, name],
      [names.events, name],
    ] as const
    for (const [stream, consumer] of consumers) {
      await manager.consumers.delete(stream, consumer).catch(ignoreMissing)
    }
  }

  async #addPatterns(
    request: GroupRequest,
    { own, startAfter, streamCreated, joins }: PatternsToAdd,
  ): Promise<{ group: GroupState; isNew: boolean; isParkedLost: boolean }> {
    const { state, clock } = this.#host
    const { name, patterns } = request
    const subject = state.names.group(name)
    let isParkedLost = false
    for (;;) {
      const found = await state.revised<GroupState>(subject)
      const before = found && inStream(found.value, streamCreated)
      const start = before?.startAfter ?? startAfter ?? (await this.#host.startAfter(request))
      const after = own?.delivered.stream_seq ?? start
      const group: GroupState = {
        patterns: joins ? [...patterns] : (before?.patterns ?? [...patterns]),
        streamCreated,
        startAfter: start,
        sets: withPatterns(before?.sets ?? [], patterns, after, clock.now(), joins),
      }
      // First what parks events for others, then the patterns for which events are parked.
      if (group.sets.length > 1 && !request.ordered) {
        const { names } = state
        const parked = names.parkedConsumer(name)
        const isMade = await this.#ensureRedelivery(request, parked, names.parkedOf(name, '*'))
        // With the second set of patterns it is made for the first time.
        isParkedLost ||= isMade && found !== undefined && found.value.sets.length > 1
      }
      try {
        const stored = await state.replace(subject, group, found?.revision ?? 0)
        if (stored !== undefined) {
          return { group, isNew: found === undefined, isParkedLost }
        }
      } catch (error) {
        const isKnown = found?.value.sets.some((set) => keyOf(set.patterns) === keyOf(patterns))
        // A full server takes no note, but a group that it knows must drain it.
        if (!isFull(error) || found === undefined || isKnown !== true) throw error
        return { group: found.value, isNew: false, isParkedLost }
      }
    }
  }

  #ensureRedelivery(request: GroupRequest, name: string, filter: string): Promise<boolean> {
    return this.#ensure(this.#host.state.names.redelivery, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(request.ackWaitMs),
      max_ack_pending: -1,
      filter_subject: filter,
    })
  }

  /** A consumer that exists keeps its position; what may change of it is brought up to date. */
  async #ensure(
    stream: string,
    config: Partial<ConsumerConfig>,
    found?: ConsumerInfo,
  ): Promise<boolean> {
    const { consumers } = this.#host.manager
    const name = config.durable_name!
    const known = found ?? (await this.#info(stream, name))
    if (known === undefined) {
      await consumers.add(stream, config)
      return true
    }
    const { ack_wait, filter_subject } = config
    if (known.config.ack_wait !== ack_wait || known.config.filter_subject !== filter_subject) {
      await consumers.update(stream, name, {
        ack_wait: ack_wait!,
        filter_subject: filter_subject!,
      })
    }
    return false
  }

  #eventsConfig(request: GroupRequest, group: GroupState): Partial<ConsumerConfig> {
    return {
      durable_name: request.name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(request.ackWaitMs),
      max_deliver: -1,
      max_ack_pending: -1,
      filter_subject: this.#host.state.names.eventsOf(commonPattern(group.sets)),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: group.startAfter + 1,
    }
  }

  async #streamCreated(): Promise<string> {
    return (await this.#host.manager.streams.info(this.#host.state.names.events)).created
  }

  #info(stream: string, name: string): Promise<ConsumerInfo | undefined> {
    return this.#host.manager.consumers.info(stream, name).catch(ignoreMissing)
  }
}

/** Whether a consumer that was asked for is not there. */
export function isConsumerMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND
}

function ignoreMissing(error: unknown): undefined {
  if (isConsumerMissing(error)) return undefined
  throw error
}
