import type { JsonValue } from '../event/cloud-event.js'

/** A change of what a group keeps under a key. */
export interface StateChange {
  /** A kind, a dot and a name, such as `call.0193f2`. */
  key: string
  /** What is kept from now on; the key is removed without it. */
  value?: JsonValue
}

/** What a group keeps under a key. */
export interface StateEntry {
  /** A kind, a dot and a name. */
  key: string
  /** What was kept last. */
  value: JsonValue
}

/** Which entries of a group to list. */
export interface StateQuery {
  /** The group. */
  group: string
  /** What the keys begin with, before the dot. */
  kind: string
  /** The key after which the page begins. @default the first one */
  after?: string | undefined
  /** @default 100, at most 1,000 */
  limit?: number | undefined
}

/** {@link StateQuery} with its default filled in. */
export interface ResolvedStateQuery extends StateQuery {
  /** At most so many entries. */
  limit: number
}

/** A page of entries. */
export interface StatePage {
  /** By key. */
  entries: StateEntry[]
  /** The `after` of the next page; missing on the last one. */
  next?: string
}

/** What groups keep beside their deliveries. A settlement changes it in the same commit; retention does not remove it. */
export interface GroupStates {
  /** What a group keeps under a key. */
  get(group: string, key: string): Promise<JsonValue | undefined>
  /** Changes it without a settlement. */
  put(group: string, change: StateChange): Promise<void>
  /** One page of what a group keeps; the query is checked. */
  list(query: ResolvedStateQuery): Promise<StatePage>
  /** How many entries of a kind a group has. */
  count(group: string, kind: string): Promise<number>
}
