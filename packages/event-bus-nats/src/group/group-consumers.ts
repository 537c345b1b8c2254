import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream'
import type { GroupRequest } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import { isFull } from '../connection/unavailable.js'
import { consumerName, consumerNameIn } from '../streams/consumer-name.js'
import { type GroupState, inStream, type State } from '../streams/state.js'
import { keyOf, type PatternSet, withoutProcess, withProcess } from './pattern-sets.js'
import type { ServerConsumers } from './server-consumers.js'

/** What a process knows of a group, should the server have forgotten it. */
export interface GroupPosition {
  /** Sequence up to which the group has settled everything. */
  settledUntil: number
  /** When the stream of events was made that the sequence is of; one that is made again counts from the beginning. */
  streamCreated: string
  /** The sets of patterns, its own among them. */
  sets: readonly PatternSet[]
}

/** A group that a process takes part in. */
export interface JoinedGroup extends GroupPosition {
  /** When the stream of redeliveries was made that the group's consumers there are of. */
  redeliveryCreated: string
  forgotten: boolean
}

/** What the consumers of all groups need of their store. */
export interface GroupConsumersHost {
  state: State
  manager: JetStreamManager
  clock: Pick<ServerClock, 'now'>
  consumers: ServerConsumers
  /** Sequence after which a group that is not known yet begins. */
  startAfter(request: GroupRequest): Promise<number>
}

/** What a process that says which patterns it asks for knows of the group. */
interface KnownOfGroup {
  /** The group's consumer of events. */
  consumer?: ConsumerInfo | undefined
  position?: GroupPosition | undefined
  streamCreated: string
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
    const { consumers, state } = this.#host
    const { names } = state
    const streamCreated = await this.#streamCreated()
    const durable = consumerName(request.name, streamCreated)
    let consumer = await consumers.find(names.events, durable)
    const isLeftOver = consumer !== undefined && known === undefined
    if (isLeftOver && (await this.read(request.name)) === undefined) {
      await this.#clear(request.name)
      consumer = undefined
    }
    const added = await this.#addPatterns(request, { consumer, position: known, streamCreated })
    const { sets, isMade } = await consumers.ensureEvents(request, added.group, consumer)
    const redelivery = names.redeliveryOf(request.name, '*')
    const isRedeliveryMade = await consumers.ensureRedelivery(request, request.name, redelivery)
    const forgotten =
      added.isNew || added.isParkedLost || consumer === undefined || isMade || isRedeliveryMade
    if ((await this.#streamCreated()) !== streamCreated) {
      // Made again since: what was made above may begin behind the first events of the new one.
      await consumers.remove(names.events, durable)
      return this.join(request, { settledUntil: 0, streamCreated, sets })
    }
    const settledUntil = consumer?.ack_floor.stream_seq ?? added.group.startAfter
    const redeliveryCreated = await this.#createdOf(names.redelivery)
    return { sets, settledUntil, streamCreated, redeliveryCreated, forgotten }
  }

  /** Says that the patterns are still in use, and looks whether the server hands out all that they match. */
  async confirm(request: GroupRequest, position: GroupPosition): Promise<void> {
    const streamCreated = await this.#streamCreated()
    const { group } = await this.#addPatterns(request, { position, streamCreated })
    await this.#host.consumers.ensureEvents(request, group)
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
    const { manager, state, consumers } = this.#host
    const { names } = state
    for (const subject of ['redeliveryOf', 'delayedOf', 'parkedOf'] as const) {
      await manager.streams.purge(names.redelivery, { filter: names[subject](name, '*') })
    }
    const kept = names.allKept(name)
    for (const subject of [names.delivery(name, '*'), names.dead(name, '*'), kept]) {
      await state.remove(subject)
    }
    await state.remove(names.settledBound(name))
    const its = [
      [names.redelivery, names.parkedConsumer(name)],
      [names.redelivery, name],
      [names.events, name],
    ] as const
    for (const [stream, prefix] of its) {
      await consumers.remove(stream, await consumerNameIn(manager, stream, prefix))
    }
  }

  async #addPatterns(
    request: GroupRequest,
    { consumer, position, streamCreated }: KnownOfGroup,
  ): Promise<{ group: GroupState; isNew: boolean; isParkedLost: boolean }> {
    const { state, clock, consumers } = this.#host
    const { name, patterns } = request
    const subject = state.names.group(name)
    const known = position && inStream(toGroup(position), streamCreated)
    const own = known?.sets.find((set) => keyOf(set.patterns) === keyOf(patterns))
    const joinedAtMs = own?.joinedAtMs ?? clock.now()
    let isParkedLost = false
    for (;;) {
      const found = await state.revised<GroupState>(subject)
      const before = found === undefined ? known : inStream(found.value, streamCreated)
      const startAfter = before?.startAfter ?? (await this.#host.startAfter(request))
      const after = own?.after ?? consumer?.delivered.stream_seq ?? startAfter
      const set = { patterns: [...patterns], after, joinedAtMs }
      const sets = withProcess(before?.sets ?? [], set, clock.now())
      const group: GroupState = { streamCreated, startAfter, sets }
      // First what parks events for others, then the patterns for which events are parked.
      if (group.sets.length > 1 && !request.ordered) {
        const { names } = state
        const parked = names.parkedConsumer(name)
        const isMade = await consumers.ensureRedelivery(request, parked, names.parkedOf(name, '*'))
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

  #streamCreated(): Promise<string> {
    return this.#createdOf(this.#host.state.names.events)
  }

  async #createdOf(stream: string): Promise<string> {
    return (await this.#host.manager.streams.info(stream)).created
  }
}

/** The group as a process knows it. */
function toGroup({ settledUntil: startAfter, streamCreated, sets }: GroupPosition): GroupState {
  return { startAfter, streamCreated, sets: [...sets] }
}
