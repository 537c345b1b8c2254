import { z } from 'zod'
import type { JsonValue } from '../event/cloud-event.js'
import { parseOptions } from '../parse-options.js'
import type { GroupStates, StateChange, StatePage, StateQuery } from './group-state.js'

/** Keys are parts of subjects and of keys of databases. */
const KEY = /^[a-z]{1,32}\.[\w-]{1,200}$/

const stateKeySchema = z
  .string()
  .regex(KEY, 'expected a kind, a dot and a name of letters, digits, - and _')
const groupSchema = z.string().min(1).max(128)
const kindSchema = z.string().regex(/^[a-z]{1,32}$/)
const querySchema = z.strictObject({
  group: groupSchema,
  kind: kindSchema,
  after: stateKeySchema.optional(),
  limit: z.int().min(1).max(1000).default(100),
})

/** What groups keep beside their deliveries, such as calls that stand still. */
export class CheckedStates {
  readonly #states: GroupStates

  constructor(states: GroupStates) {
    this.#states = states
  }

  /**
   * What a group keeps under a key.
   *
   * @throws EventBusError `INVALID_OPTIONS`
   */
  async get(group: string, key: string): Promise<JsonValue | undefined> {
    return this.#states.get(parse(groupSchema, group), parse(stateKeySchema, key))
  }

  /**
   * Changes it without a settlement.
   *
   * @throws EventBusError `INVALID_OPTIONS`
   */
  async put(group: string, change: StateChange): Promise<void> {
    await this.#states.put(parse(groupSchema, group), checkedChanges([change])[0]!)
  }

  /**
   * One page of what a group keeps, by key.
   *
   * @throws EventBusError `INVALID_OPTIONS`
   */
  async list(query: StateQuery): Promise<StatePage> {
    return this.#states.list(parse(querySchema, query))
  }

  /**
   * How many entries of a kind a group has.
   *
   * @throws EventBusError `INVALID_OPTIONS`
   */
  async count(group: string, kind: string): Promise<number> {
    return this.#states.count(parse(groupSchema, group), parse(kindSchema, kind))
  }
}

/**
 * Changes that a store can take, as copies.
 *
 * @throws EventBusError `INVALID_OPTIONS`
 */
export function checkedChanges(changes: readonly StateChange[]): StateChange[] {
  return changes.map(({ key, value }) => ({
    key: parse(stateKeySchema, key),
    ...(value !== undefined && { value }),
  }))
}

function parse<Value, Given>(schema: z.ZodType<Value, Given>, value: Given): Value {
  return parseOptions(schema, value, 'state')
}
