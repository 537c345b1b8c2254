import type {
  GroupStates,
  JsonValue,
  ResolvedStateQuery,
  StateChange,
  StatePage,
} from '@nexus/event-bus'
import type { RedisReader } from '../connection/reader.js'
import { stateArguments } from '../group/settlement-arguments.js'
import type { RunScript } from '../group/settlements.js'
import { PUT_STATE, REMOVE_STATE } from './change-state.js'

/** What groups keep: a hash for the values, and a zset for the order of their keys. */
export class RedisStates implements GroupStates {
  readonly #reader: RedisReader
  readonly #run: RunScript

  constructor(reader: RedisReader, run: RunScript) {
    this.#reader = reader
    this.#run = run
  }

  async get(group: string, key: string): Promise<JsonValue | undefined> {
    const name = this.#reader.key(`states:${group}`)
    const json = await this.#reader.ask((redis) => redis.hget(name, key))
    return json === null ? undefined : (JSON.parse(json) as JsonValue)
  }

  async put(group: string, change: StateChange): Promise<void> {
    const script = change.value === undefined ? REMOVE_STATE : PUT_STATE
    await this.#run(script, [group, ...stateArguments([change])])
  }

  async list({ group, kind, after, limit }: ResolvedStateQuery): Promise<StatePage> {
    const { ask } = this.#reader
    const [from, to] = rangeOf(kind, after)
    const keys = await ask((redis) =>
      redis.zrangebylex(this.#reader.key(`state-keys:${group}`), from, to, 'LIMIT', 0, limit + 1),
    )
    const wanted = keys.slice(0, limit)
    if (wanted.length === 0) return { entries: [] }
    const texts = await ask((redis) => redis.hmget(this.#reader.key(`states:${group}`), ...wanted))
    const entries = wanted.flatMap((key, i) => {
      const json = texts[i]
      return typeof json === 'string' ? [{ key, value: JSON.parse(json) as JsonValue }] : []
    })
    return keys.length > limit ? { entries, next: wanted.at(-1)! } : { entries }
  }

  count(group: string, kind: string): Promise<number> {
    const [from, to] = rangeOf(kind)
    return this.#reader.ask((redis) =>
      redis.zlexcount(this.#reader.key(`state-keys:${group}`), from, to),
    )
  }
}

function rangeOf(kind: string, after?: string): [from: string, to: string] {
  // `/` follows the dot, and no key has it.
  return [after === undefined ? `[${kind}.` : `(${after}`, `(${kind}/`]
}
