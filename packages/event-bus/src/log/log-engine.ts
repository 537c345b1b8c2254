import type { JsonValue } from '../event/cloud-event.js'
import type { DeadLetterState, DeliveryState } from '../store/backend/delivery-state.js'
import type { SharedEntry } from '../store/event-store.js'
import type { DeliveryStatus, Erasure } from '../store/stored-event.js'

/** One event as the log keeps it. */
export interface LogRecord {
  sequence: number
  /** Time of storing. It falls with the sequence only where the wall clock was set back: see `LogHead.falls`. */
  publishedAtMs: number
  deliverAtMs?: number
  /** The delay that `deliverAtMs` was made from. */
  delayMs?: number
  id: string
  type: string
  source: string
  /** The event's JSON text: every reader parses its own copy. */
  json: string
  erased?: Erasure
}

/** The log's totals. */
export interface LogHead {
  /** Sequence of the oldest event that is kept. */
  first: number
  /** Sequence of the newest event; `first - 1` when there is none. */
  last: number
  /** Events that are kept; fewer than `last - first + 1` where some between them were removed. */
  events: number
  /** UTF-8 bytes of their JSON. */
  bytes: number
  publishedAtMs: number
  /** First sequences of stretches with a time of storing before that of their predecessor: a clock was set back. */
  falls: number[]
}

/** The totals of a log that was never written to. */
export const EMPTY_HEAD: LogHead = {
  first: 1,
  last: 0,
  events: 0,
  bytes: 0,
  publishedAtMs: 0,
  falls: [],
}

/** What the log keeps of a group. */
export interface GroupEntry {
  patterns: string[]
  /** The group gets no event up to here. */
  startAfter: number
  /** Everything up to here is settled, or scheduled in `due`. */
  floor: number
}

/** What the log keeps of one event for one group. */
export interface LogDeliveryState extends DeliveryState<Exclude<DeliveryStatus, 'running'>> {
  /** Attempts were made since the event was read from the log, or from `due`, where a new process takes it up again. */
  isUnfinished?: true
}

/** An entry of the table of deliveries that are due at a time. */
export interface DueEntry {
  /** `parked`: no open consumer asks for the event's type. */
  kind: 'retry' | 'scheduled' | 'replay' | 'redrive' | 'parked'
  attempt: number
  replay: number
  /** The wait that the time was made from: after a step of the wall clock it begins again. */
  delayMs?: number
}

/** What a group keeps under a key; it may be private, as a record is. */
export interface StateRecord {
  record: JsonValue
}

/** An attempt under way. */
export type RunningEntry = [group: string, sequence: number, attempt: number]

/** Keys and values of every table of the log. */
export interface LogSchema {
  head: [key: 'head', value: LogHead]
  events: [key: number, value: LogRecord]
  ids: [key: [id: string, source: string], value: number]
  /** Sequences of a commit's events per type and per source. */
  valueIndex: [key: [attribute: string, value: string, first: number], value: number[]]
  /** How many events there are of a type or source: [attribute, value]. */
  counts: [key: [attribute: string, value: string], value: number]
  groups: [key: string, value: GroupEntry]
  deliveries: [key: [sequence: number, group: string], value: LogDeliveryState]
  due: [key: [group: string, dueAtMs: number, sequence: number], value: DueEntry]
  dead: [key: [group: string, sequence: number], value: DeadLetterState]
  shared: [key: string, value: SharedEntry]
  /** What groups keep under keys of their own. */
  states: [key: [group: string, key: string], value: StateRecord]
}

export type TableName = keyof LogSchema
export type TableKey<N extends TableName> = LogSchema[N][0]
export type TableValue<N extends TableName> = LogSchema[N][1]

/** One change of a commit; without a value the key is removed. */
export type Write = {
  [N in TableName]: { table: N; key: TableKey<N>; value?: TableValue<N> }
}[TableName]

/** From `start` (included) towards `end` (excluded); `start` is the greater one when reversed. */
export interface RangeOptions<K> {
  start: K
  end: K
  reverse?: boolean
  limit?: number
}

/** Ordered tables with atomic commits: all the log needs from memory or a database. */
export interface LogEngine {
  readonly backend: string
  readonly readOnly: boolean
  get<N extends TableName>(table: N, key: TableKey<N>): TableValue<N> | undefined
  range<N extends TableName>(
    table: N,
    options: RangeOptions<TableKey<N>>,
  ): Iterable<{ key: TableKey<N>; value: TableValue<N> }>
  count<N extends TableName>(table: N, options: RangeOptions<TableKey<N>>): number
  /** All or nothing; resolves when readers see it and it is as durable as the engine makes it. */
  commit(writes: readonly Write[]): Promise<void>
  /** Resolves when a power cut spares everything that was committed. */
  sync(): Promise<void>
  /** Notes what this process is handling; needs to survive the process only. */
  saveRunning(entries: readonly RunningEntry[]): void
  /** What the process before was handling when it ended. */
  loadRunning(): RunningEntry[]
  /** Facts for the stats. */
  describe(): Record<string, JsonValue>
  close(): Promise<void>
}
