import type { Clock } from '../clock.js'
import type { EncodedEvent, JsonValue } from '../event/cloud-event.js'
import type { GroupStates, StateChange } from './group-state.js'
import type {
  DeadLetterListQuery,
  DeadLetterPage,
  DeadLetterQuery,
  EraseQuery,
  EventPage,
  ListQuery,
  ReplayQuery,
  ReplayResult,
} from './queries.js'
import type { StoreStats } from './store-stats.js'
import type { DeliveryError, Durability, EventDetails, StoredEvent } from './stored-event.js'

/** The result for one published event. */
export interface PublishResult {
  /** The id of the event, given or made. */
  id: string
  /** True when an event with this source and id was stored before; nothing was stored this time. */
  duplicate: boolean
  /** Position in the store; for a duplicate, of the event stored first where the store knows it. */
  sequence: number
}

/** An event on its way into the store. */
export interface AppendRequest extends EncodedEvent {
  /** Epoch milliseconds before which no group gets it; never together with `delayMs`. */
  deliverAtMs?: number
  /** No group gets it earlier than this after it is stored, by the clock of the store. */
  delayMs?: number
}

/** When an event that is stored at `nowMs` is due, by the clock of the store; undefined means at once. */
export function deliveryTimeOf(
  { deliverAtMs, delayMs }: Pick<AppendRequest, 'deliverAtMs' | 'delayMs'>,
  nowMs: number,
): number | undefined {
  return delayMs === undefined ? deliverAtMs : nowMs + delayMs
}

/** Where a group that is seen for the first time begins. */
export type StartPosition =
  | 'now'
  | 'beginning'
  | { time: string | Date }
  | { id: string; source?: string | undefined }

/** What a store has to know about a consumer group. */
export interface GroupRequest {
  /** The group; it is made when it does not exist. */
  name: string
  /**
   * What this consumer asks for: it gets no other events. The group wants what its open consumers ask for,
   * and what the consumer that was opened last asked for, open or not. What the group wants and no open
   * consumer asks for waits; what it no longer wants leaves it. A consumer of an ordered group whose patterns
   * are not those of the consumer opened last hands its place over when its claims are settled.
   */
  patterns: readonly string[]
  /** Where a new group begins. */
  start: StartPosition
  /** Claims must come in publish order, to one process at a time. */
  ordered: boolean
  /** A claim that was not extended for this long, counted from its request, goes to another consumer. */
  ackWaitMs: number
}

/** One event handed to one consumer of a group, until it is settled. */
export interface Claim extends StoredEvent {
  /** `event` as the JSON text that it is stored as. */
  eventJson: string
  /**
   * 1 for the first attempt. Counts handler starts (`begin`), those that ended with their process included;
   * a claim that was never begun does not count.
   */
  attempt: number
  /** 0 for the original delivery, n for the n-th replay. */
  replay: number
}

/** How an attempt ended. */
export type Settlement =
  | {
      kind: 'ack'
      /** Stored together with the ack, or not at all. */
      emit: AppendRequest[]
      /** What the group keeps from now on, stored together with the ack as well. @default nothing changes */
      state?: readonly StateChange[]
      /** The work goes on with a later event: the delivery counts as `suspended`. @default false */
      suspended?: boolean
      durationMs: number
      record?: JsonValue
    }
  | {
      kind: 'retry'
      delayMs: number
      /**
       * The consumer keeps the claim and makes the next attempt itself: nothing behind it in order may
       * pass. The store counts the attempt, in `claim.attempt` too.
       */
      inPlace: boolean
      durationMs: number
      error: DeliveryError
      record?: JsonValue
    }
  | {
      kind: 'dead-letter'
      /** Stored together with the dead letter, or not at all. @default none */
      emit?: AppendRequest[]
      /** What the group keeps from now on. @default nothing changes */
      state?: readonly StateChange[]
      durationMs: number
      error: DeliveryError
      record?: JsonValue
    }
  /** Given back as if it had never been claimed. */
  | { kind: 'release' }

/** The events that a settlement stores. */
export function emittedBy(settlement: Settlement): readonly AppendRequest[] {
  return ('emit' in settlement ? settlement.emit : undefined) ?? []
}

/** A shared value as a store has it. */
export interface SharedEntry {
  /** What was written last. */
  value: JsonValue
  /** Another one after each write; never 0. */
  revision: number
}

/** One consumer of a group. */
export interface GroupConsumer {
  /**
   * Claims up to `limit` events; waits until there is at least one.
   * Answers an empty list when `signal` aborts.
   */
  fetch(limit: number, signal: AbortSignal): Promise<Claim[]>
  /**
   * The handlers of these claims are about to start: from here on their attempts count, also when the
   * process dies. Answers the claims that are still this consumer's; a lost one must not be handled.
   */
  begin(claims: readonly Claim[]): readonly Claim[] | Promise<readonly Claim[]>
  /**
   * Resolves when the settlement is stored; answers the results for the emitted events.
   *
   * @throws EventBusError `CLAIM_LOST` when another consumer may have the event by now: nothing was stored.
   * `SETTLEMENT_REFUSED` when the store will never take this settlement, such as one that is too large: the
   * caller makes a dead letter of it. Any other error means that sending it again may help.
   */
  settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]>
  /** Tells the store that these claims are still worked on. */
  extend(claims: readonly Claim[]): void
  /** Gives back what is claimed and leaves the group, which goes on existing. */
  close(): Promise<void>
}

/** What the bus lends its store. */
export interface StoreContext {
  /** Where the store takes its time from. */
  clock: Clock
  /** The store can be used, at the start or again. */
  onConnected(): void
  /** The server went away; the store connects again by itself. */
  onDisconnected(reason: string): void
  /**
   * The store came back without what it had: groups, streams or events are gone. The bus reports it and is
   * not ready until `onRepaired`; the store makes its groups again and goes on by itself.
   */
  onEmptied(what: string): void
  /** What was lost was made again. */
  onRepaired(): void
  /** Something failed that no call can report. */
  onError(error: unknown): void
}

/** What a backend implements; the promises are stated and tested by `@nexus/event-bus/conformance`. */
export interface EventStore {
  /** What groups keep beside their deliveries. */
  readonly states: GroupStates
  /** Writes that may be under way at once. What waits is divided among them; further publishes gather for the next write. */
  readonly concurrentAppends: number
  /** Longest JSON of a delivery's record in UTF-8 bytes, known after `open`; longer ones are cut before they are settled. */
  readonly maxRecordBytes?: number | undefined
  /** Whether several processes may consume from the store at once. @default false */
  readonly isShared?: boolean | undefined
  /**
   * Connects, or opens files; called once, before anything else.
   *
   * @throws EventBusError `STORE_UNAVAILABLE`, `STORE_LOCKED`, `STORE_CORRUPT`
   */
  open(context: StoreContext): Promise<void>
  /**
   * Refuses an event that this store can never take, before anything of its batch is written.
   *
   * @throws EventBusError `EVENT_TOO_LARGE`, `INVALID_EVENT`
   */
  checkEvent?(event: AppendRequest): void
  /**
   * Stores events in order; resolves once they are as durable as `durability` says. An event whose source
   * and id are stored already is a duplicate.
   */
  append(
    events: readonly AppendRequest[],
    durability: Durability | undefined,
  ): Promise<PublishResult[]>
  /**
   * An event with what every group did with it; undefined when it is not stored.
   *
   * @throws EventBusError `AMBIGUOUS_ID` when `source` is left out and events of several sources have the id */
  get(id: string, source?: string): Promise<EventDetails | undefined>
  /**
   * Removes the event's data, and records, logs and errors of its deliveries and dead letters; the envelope stays, with
   * time and reason. Answers false when there is no such event.
   */
  erase(query: EraseQuery): Promise<boolean>
  /** One page of stored events; the query is checked. */
  list(query: ListQuery): Promise<EventPage>
  /** Adds a consumer to a group, which is made when it does not exist. */
  openGroup(request: GroupRequest): Promise<GroupConsumer>
  /** Forgets a group: its position, deliveries and dead letters. */
  removeGroup(name: string): Promise<boolean>
  /**
   * Delivers stored events again.
   *
   * @throws EventBusError `NOT_FOUND` for an unknown id or group
   */
  replay(query: ReplayQuery): Promise<ReplayResult>
  /** One page of dead letters, group by group, newest first. */
  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage>
  /** Delivers dead letters again; answers how many. */
  redriveDeadLetters(query: DeadLetterQuery): Promise<number>
  /** Removes dead letters, not the events; answers how many. */
  purgeDeadLetters(query: DeadLetterQuery): Promise<number>
  /** A value that the processes of the bus share; undefined when it was never written. */
  readShared(key: string): Promise<SharedEntry | undefined>
  /**
   * Writes a value that processes share, unless it has another revision by now: 0 stands for one that was never written.
   * Answers whether it was written.
   */
  writeShared(key: string, value: JsonValue, revision: number): Promise<boolean>
  /** Figures; answers also while the server is away. */
  getStats(): Promise<StoreStats>
  /** Ends all consumers; what they claimed is given back. */
  close(): Promise<void>
}
