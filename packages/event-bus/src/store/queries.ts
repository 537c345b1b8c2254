import type { DeadLetter, DeliveryStatus, StoredEvent } from './stored-event.js'

/** Which event to erase. */
export interface EraseQuery {
  /** The id of the event. */
  id: string
  /** Needed where events of several sources have the id. */
  source?: string | undefined
  /** Kept with the envelope; at most 512 characters. */
  reason?: string | undefined
}

/** Filters of `list`; together they must all hold. */
export interface ListQuery {
  /** Most events of the page: 1 to 1,000. @default 20 */
  limit?: number | undefined
  /** The `cursor` of the page before. */
  cursor?: string | undefined
  /** An event type or a pattern. */
  type?: string | undefined
  /** The source of events. */
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
  /** In the order that the query asks for. */
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
  /** Stored events that matched. */
  events: number
  /** Deliveries that were set in motion; one that waited already does not count. */
  deliveries: number
}

/** Filters of the dead-letter calls. */
export interface DeadLetterQuery {
  /** The group that gave up. */
  group?: string | undefined
  /** The id of the event. */
  id?: string | undefined
  /** Needed where events of several sources have the id. */
  source?: string | undefined
}

/** A page of the dead letters that match. */
export interface DeadLetterListQuery extends DeadLetterQuery {
  /** Most dead letters of the page: 1 to 1,000. @default 20 */
  limit?: number | undefined
  /** The `cursor` of the page before. */
  cursor?: string | undefined
  /** As in `ListQuery`; counts the JSON of event, error and record. @default 4194304 */
  maxPageBytes?: number | undefined
}

/** One page of dead letters, newest first in each group. */
export interface DeadLetterPage {
  /** Group by group, newest first. */
  deadLetters: DeadLetter[]
  /** How many match, on all pages. */
  total: number
  /** Present while there are more. */
  cursor?: string
}
