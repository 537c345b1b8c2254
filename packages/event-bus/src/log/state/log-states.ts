import type { JsonValue } from '../../event/cloud-event.js'
import type {
  GroupStates,
  ResolvedStateQuery,
  StateChange,
  StatePage,
} from '../../store/group-state.js'
import type { LogAccess } from '../log-access.js'
import { LAST_STRING } from '../query/value-index.js'
import { writeState } from './write-state.js'

/** What groups keep, as a table of the log. */
export class LogStates implements GroupStates {
  readonly #access: () => LogAccess

  constructor(access: () => LogAccess) {
    this.#access = access
  }

  async get(group: string, key: string): Promise<JsonValue | undefined> {
    return this.#access().engine.get('states', [group, key])?.record
  }

  async put(group: string, change: StateChange): Promise<void> {
    await this.#access().queue.run((transaction) => writeState(transaction, group, [change]))
  }

  async list({ group, kind, after, limit }: ResolvedStateQuery): Promise<StatePage> {
    const range = {
      start: [group, after ?? `${kind}.`] as [string, string],
      end: endOf(group, kind),
      // `after` itself is found as well.
      limit: limit + 2,
    }
    const found = [...this.#access().engine.range('states', range)].filter(
      ({ key }) => key[1] !== after,
    )
    const entries = found
      .slice(0, limit)
      .map(({ key: [, key], value: { record: value } }) => ({ key, value }))
    return found.length > limit ? { entries, next: entries.at(-1)!.key } : { entries }
  }

  async count(group: string, kind: string): Promise<number> {
    const range = { start: [group, `${kind}.`] as [string, string], end: endOf(group, kind) }
    return this.#access().engine.count('states', range)
  }
}

function endOf(group: string, kind: string): [string, string] {
  return [group, `${kind}.${LAST_STRING}`]
}
