import type { JsMsg } from '@nats-io/jetstream'
import type { AppendRequest, GroupRequest, PublishResult } from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { ServerClock } from '../connection/server-clock.js'
import type { Session } from '../session.js'
import type { NatsStates } from '../state/nats-states.js'
import { consumerNameIn } from '../streams/consumer-name.js'
import type { Events } from '../streams/events.js'
import type { Redelivery } from '../streams/redelivery.js'
import type { GroupState, State } from '../streams/state.js'
import type { GroupPosition, JoinedGroup } from './group-consumers.js'
import { Lease } from './order/lease.js'
import { keyOf, type PatternSet } from './pattern-sets.js'
import { Puller } from './pull/puller.js'
import { isFilterChanged } from './server-consumers.js'
import { SettledBound } from './settled-bound.js'

/** What a group's consumer needs of its store. */
export interface GroupHost {
  state: State
  states: NatsStates
  events: Events
  redelivery: Redelivery
  clock: Pick<ServerClock, 'now'>
  emit(events: readonly AppendRequest[]): Promise<PublishResult[]>
  readGroup(): Promise<GroupState | undefined>
  /** Says that the patterns are still in use. */
  confirm(position: GroupPosition): Promise<void>
  /** Says that this process takes part no longer. */
  leave(): Promise<void>
  /** Makes what the server has forgotten; answers whether there was something. */
  restore(known: GroupPosition): Promise<JoinedGroup>
  /** Opens the pulls; for an ordered group, once it is the only consumer. */
  openPullers(onMessage: OnMessage, onEnd: OnEnd): Promise<Puller[]>
  /** Opens the pull of what other processes of the group left to this one. */
  openParked(onMessage: OnMessage, onEnd: OnEnd): Promise<Puller>
  settledBound: SettledBound
  lease: Lease | undefined
  /** Says that a process with these patterns waits for the lease. */
  waitForLease(): Promise<void>
  /** Those of these sets with a process that waits for the lease. */
  waitingForLease(sets: readonly PatternSet[]): Promise<PatternSet[]>
  /** Gives the lease back, and says so. */
  releaseLease(to?: readonly PatternSet[]): Promise<void>
  guard: ClaimGuard
  onError(error: unknown): void
  onSettled(): void
  onClose(): void
}

/** An ordered group has no consumer. */
export interface TurnFree {
  /** The sets of patterns whose processes go first, as `keyOf` tells them apart; none: whichever process comes first. */
  to: string[]
}

/** Gets what a pull brings. */
export type OnMessage = (message: JsMsg) => void
/** Hears that a pull has ended, with its error when there was one. */
export type OnEnd = (error: unknown) => void

/** What only the store knows of a group. */
export type StoreSide = Pick<
  GroupHost,
  'emit' | 'leave' | 'restore' | 'guard' | 'onError' | 'onSettled' | 'onClose'
>

/** What one consumer of a group uses of a session. */
export function groupHost(
  {
    connection,
    client,
    manager,
    publisher,
    state,
    states,
    events,
    redelivery,
    clock,
    consumers,
    groups,
  }: Session,
  request: GroupRequest,
  store: StoreSide,
): GroupHost {
  const { name, patterns, ordered } = request
  const { names } = state
  const consumer = async (stream: string, durable: string) =>
    client.consumers.get(stream, await consumerNameIn(manager, stream, durable))
  const lease = ordered ? new Lease(client, manager, names.leaseOf(name)) : undefined
  return {
    ...store,
    state,
    states,
    events,
    redelivery,
    clock,
    readGroup: () => groups.read(name),
    confirm: (position) => groups.confirm(request, position),
    openPullers: async (onMessage, onEnd) => {
      if (ordered) await consumers.takeOver(request)
      const both = [names.events, names.redelivery].map((stream) => consumer(stream, name))
      return Promise.all(
        (await Promise.all(both)).map(async (one) => {
          const puller = new Puller(one, onMessage, onEnd)
          if (isFilterChanged(await one.info(true))) puller.hurry()
          return puller
        }),
      )
    },
    openParked: async (onMessage, onEnd) => {
      const parked = names.parkedConsumer(name)
      return new Puller(await consumer(names.redelivery, parked), onMessage, onEnd)
    },
    settledBound: new SettledBound(state, publisher, name),
    lease,
    waitForLease: async () => {
      await publisher.publish(names.leaseWanted(name, keyOf(patterns)), '')
    },
    waitingForLease: async (sets) => {
      const waiting = await Promise.all(
        sets.map((set) => {
          const last_by_subj = names.leaseWanted(name, keyOf(set.patterns))
          return manager.direct.getMessage(names.presence, { last_by_subj })
        }),
      )
      return sets.filter((_, i) => waiting[i] !== null)
    },
    releaseLease: async (to = []) => {
      if (lease === undefined || !(await lease.release())) return
      const free: TurnFree = { to: to.map((set) => keyOf(set.patterns)) }
      connection.publish(names.turnOf(name), JSON.stringify(free))
    },
  }
}
