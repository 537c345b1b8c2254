import type { Clock } from '../clock.js'
import type { CloudEvent, EncodedEvent, JsonValue } from '../event/cloud-event.js'

/** How much a publish survives: nothing, the process, or a power cut. */
export type Durability = 'memory' | 'os' | 'disk'

/** How an event fares in one consumer group. */
export type DeliveryStatus = 'pending' | 'running' | 'retrying' | 'succeeded' | 'dead-lettered'

/** Why an attempt failed. */
export interface DeliveryError {
  message: string
  code?: string
  stack?: string
}

/** One group's dealings with one event. */
export interface Delivery {
  group: string
  status: DeliveryStatus
  /** Attempts since the event was published, replayed or redriven. */
  attempts: number
  /** How often the event was replayed to this group. */
  replays: number
  /** RFC 3339 time of the last change. */
  updatedAt: string
  /** How long the last attempt took. */
  durationMs?: number
  /** What the handler kept with the attempt. */
  record?: JsonValue
  error?: DeliveryError
  /** RFC 3339 time at which the next attempt is due. */
  nextAttemptAt?: string
}

/** An event as it lies in the store. */
export interface StoredEvent {
  event: CloudEvent
  /** Position in the store: rises with every event. */
  sequence: number
  /** RFC 3339 time at which it was stored. */
  publishedAt: string
  /** Present when its data, results and logs were erased: only the envelope is left. */
  erased?: Erasure
}

/** When and why an event's data was erased. */
export interface Erasure {
  /** RFC 3339 time. */
  at: string
  reason?: string
}

/** Which event to erase. */
export interface EraseQuery {
  id: string
  /** Needed where events of several sources have the id. */
  source?: string | undefined
  /** Kept with the envelope; at most 512 characters. */
  reason?: string | undefined
}

/** A stored event with what every group did with it. */
export interface EventDetails extends StoredEvent {
  deliveries: Delivery[]
}

/** What became of one published event. */
export interface PublishResult {
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
  name: string
  /**
   * What this consumer asks for: it gets no other events. The group wants what its open consumers ask for,
   * and what the consumer that was opened last asked for, open or not. What the group wants and no open
   * consumer asks for waits; what it no longer wants leaves it. A consumer of an ordered group whose patterns
   * are not those of the consumer opened last hands its place over when its claims are settled.
   */
  patterns: readonly string[]
  start: StartPosition
  /** Claims must come in publish order, to one process at a time. */
  ordered: boolean
  /** A claim that was not extended for this long, counted from its request, goes to another consumer. */
  ackWaitMs: number
}

/** One event handed to one consumer of a group, until it is settled. */
export interface Claim extends StoredEvent {
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
      hold: boolean
      durationMs: number
      error: DeliveryError
      record?: JsonValue
    }
  | { kind: 'dead-letter'; durationMs: number; error: DeliveryError; record?: JsonValue }
  /** Given back as if it had never been claimed. */
  | { kind: 'release' }

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
   * Resolves when the settlement is stored; answers what became of the emitted events.
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

/** Filters of `list`; together they must all hold. */
export interface ListQuery {
  /** @default 20 */
  limit?: number | undefined
  /** The `cursor` of the page before. */
  cursor?: string | undefined
  /** An event type or a pattern. */
  type?: string | undefined
  source?: string | undefined
  /** Stored at or after this time. */
  since?: string | Date | undefined
  /** Stored before this time. */
  until?: string | Date | undefined
  /** Some group has the event in this status. */
  status?: DeliveryStatus | undefined
  /** @default 'desc', newest first */
  order?: 'asc' | 'desc' | undefined
  /**
   * A page ends early, with its cursor, once its events have this many UTF-8 bytes of JSON; it has at least
   * one event. @default 4194304
   */
  maxPageBytes?: number | undefined
}

/** One page of `list`. */
export interface EventPage {
  events: StoredEvent[]
  /** How many stored events match; absent where only a scan could tell (combined filters, `status`). */
  total?: number
  /** Present while there is more; an empty page with a cursor means: the scan goes on. */
  cursor?: string
}

/** Which events to deliver again. */
export type ReplayQuery =
  | {
      id: string
      /** Needed where events of several sources have the id. */
      source?: string | undefined
      groups?: readonly string[] | undefined
    }
  | {
      /** An event type or a pattern. */
      type?: string | undefined
      /** Stored at or after this time. */
      since?: string | Date | undefined
      /** Stored before this time. */
      until?: string | Date | undefined
      groups?: readonly string[] | undefined
    }

/** What a replay set in motion. */
export interface ReplayResult {
  events: number
  deliveries: number
}

/** An event a group gave up on. */
export interface DeadLetter extends StoredEvent {
  group: string
  attempts: number
  /** RFC 3339 time at which the group gave up. */
  deadLetteredAt: string
  error: DeliveryError
  record?: JsonValue
}

/** Filters of the dead-letter calls. */
export interface DeadLetterQuery {
  group?: string | undefined
  id?: string | undefined
  /** Needed where events of several sources have the id. */
  source?: string | undefined
}

/** A page of the dead letters that match. */
export interface DeadLetterListQuery extends DeadLetterQuery {
  /** @default 20 */
  limit?: number | undefined
  /** The `cursor` of the page before. */
  cursor?: string | undefined
  /** As in `ListQuery`; counts the JSON of event, error and record. @default 4194304 */
  maxPageBytes?: number | undefined
}

/** One page of dead letters, newest first in each group. */
export interface DeadLetterPage {
  deadLetters: DeadLetter[]
  total: number
  cursor?: string
}

/** A consumer group as the store knows it. */
export interface GroupStats {
  group: string
  patterns: readonly string[]
  /** Claimed and not settled. */
  running: number
  /** Waiting for a later attempt or a scheduled time. */
  scheduled: number
  deadLettered: number
  /** Stored events the group has not looked at. */
  behind: number
}

/** What a store says about itself. */
export interface StoreStats {
  backend: string
  /** False while the server is away: `events`, `bytes` and `groups` are then the last that were known. */
  connected: boolean
  /** The strongest level a publish really gets. */
  durability: Durability
  /** For how long a repeated id is recognised. */
  deduplication: string
  events: number
  bytes: number
  groups: GroupStats[]
  /** Removed by retention since the store was opened, by this process. */
  removed: { events: number; bytes: number }
  /** Further facts of the backend, its limits included; never a secret. */
  details: Record<string, JsonValue>
}

/** What the bus lends its store. */
export interface StoreContext {
  clock: Clock
  onConnected(): void
  onDisconnected(reason: string): void
  /**
   * The store came back without what it had: groups, streams or events are gone. The bus reports it and is
   * not ready until `onRepaired`; the store makes its groups again and goes on by itself.
   */
  onEmptied(what: string): void
  onRepaired(): void
  onError(error: unknown): void
}

/** What a backend implements; the promises are stated and tested by `@nexus/event-bus/conformance`. */
export interface EventStore {
  /** Writes worth having under way at once: what waits is shared out over them; beyond, publishes gather for the next one. */
  readonly concurrentAppends: number
  /** Longest JSON of a delivery's record in UTF-8 bytes, known after `open`; longer ones are cut before they are settled. */
  readonly maxRecordBytes?: number | undefined
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
  /** @throws EventBusError `AMBIGUOUS_ID` when `source` is left out and events of several sources have the id */
  get(id: string, source?: string): Promise<EventDetails | undefined>
  /**
   * Removes the event's data, and records, logs and errors of its deliveries and dead letters; the envelope stays, with
   * time and reason. Answers false when there is no such event.
   */
  erase(query: EraseQuery): Promise<boolean>
  list(query: ListQuery): Promise<EventPage>
  openGroup(request: GroupRequest): Promise<GroupConsumer>
  /** Forgets a group: its position, deliveries and dead letters. */
  removeGroup(name: string): Promise<boolean>
  replay(query: ReplayQuery): Promise<ReplayResult>
  listDeadLetters(query: DeadLetterListQuery): Promise<DeadLetterPage>
  /** Delivers dead letters again; answers how many. */
  redriveDeadLetters(query: DeadLetterQuery): Promise<number>
  /** Removes dead letters, not the events; answers how many. */
  purgeDeadLetters(query: DeadLetterQuery): Promise<number>
  getStats(): Promise<StoreStats>
  close(): Promise<void>
}
