import type { SubscriptionStats } from './consume/subscription.js'
import type { StoreStats } from './store/store-stats.js'

/** What the bus did in this process, and what its store holds. */
export interface EventBusStats {
  /** Events that were stored. */
  published: number
  /** Published events that were stored before. */
  duplicates: number
  /** Refused: invalid, too large, against its schema, or because of backpressure. */
  rejected: number
  /** Events that handlers emitted. */
  emitted: number
  /** Attempts that succeeded. */
  delivered: number
  /** Attempts that failed. */
  failed: number
  /** Events that ended as dead letters. */
  deadLettered: number
  /** Events that were replayed. */
  replayed: number
  /** How often the store came back without what it had. */
  emptied: number
  /** Events on their way into the store. */
  pendingPublishes: number
  /** Writes that failed and were made again. */
  publishRetries: number
  /** The options that bound publishers. */
  limits: { maxPendingEvents: number; maxEventBytes: number; maxBatchSize: number }
  /** The open subscriptions. */
  subscriptions: SubscriptionStats[]
  /** What the store holds, and its groups. */
  store: StoreStats
}

/** The counts of `EventBusStats` that the bus keeps itself. */
export type EventBusCounts = Pick<
  EventBusStats,
  | 'published'
  | 'duplicates'
  | 'rejected'
  | 'emitted'
  | 'delivered'
  | 'failed'
  | 'deadLettered'
  | 'replayed'
  | 'emptied'
>
