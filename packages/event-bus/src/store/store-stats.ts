import type { JsonValue } from '../event/cloud-event.js'
import type { Durability } from './stored-event.js'

/** A consumer group as the store knows it. */
export interface GroupStats {
  /** The name of the group. */
  group: string
  /** What the group wants. */
  patterns: readonly string[]
  /** Claimed and not settled. */
  running: number
  /** Waiting for a later attempt or a scheduled time. */
  scheduled: number
  /** Dead letters that were not redriven, replayed or purged. */
  deadLettered: number
  /** Stored events the group has not looked at. */
  behind: number
}

/** What a store says about itself. */
export interface StoreStats {
  /** The kind of store: `memory`, `local`, `nats` or `redis`. */
  backend: string
  /** False while the server is away: `events`, `bytes` and `groups` are then the last that were known. */
  connected: boolean
  /** The strongest level a publish really gets. */
  durability: Durability
  /** For how long a repeated id is recognised. */
  deduplication: string
  /** Stored events. */
  events: number
  /** UTF-8 bytes of their JSON, or what the server counts. */
  bytes: number
  /** Every group, with an open consumer or not. */
  groups: GroupStats[]
  /** Removed by retention since the store was opened, by this process. */
  removed: { events: number; bytes: number }
  /** Further facts of the backend, its limits included; never a secret. */
  details: Record<string, JsonValue>
}
