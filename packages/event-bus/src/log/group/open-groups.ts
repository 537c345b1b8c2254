import { PatternIndex } from '../../event/pattern.js'
import type { LogRecord } from '../log-engine.js'
import type { LogGroup } from './log-group.js'

/** Types whose groups are remembered: types come from publishers, and a flood of different ones must not fill the memory. */
const MAX_REMEMBERED = 10_000

/** The groups that have a consumer, and which of them want a type. */
export class OpenGroups {
  readonly #groups = new Map<string, LogGroup>()
  readonly #routes = new PatternIndex<LogGroup>()
  /** Groups by event type, forgotten whenever a group comes, changes or goes. */
  readonly #remembered = new Map<string, LogGroup[]>()

  get(name: string): LogGroup | undefined {
    return this.#groups.get(name)
  }

  has(name: string): boolean {
    return this.#groups.has(name)
  }

  all(): Iterable<LogGroup> {
    return this.#groups.values()
  }

  add(group: LogGroup): void {
    this.#groups.set(group.name, group)
    this.changed(group, [])
  }

  /** The group wants other types than before; `before` are the patterns it had. */
  changed(group: LogGroup, before: readonly string[]): void {
    for (const pattern of before) this.#routes.remove(pattern, group)
    for (const pattern of group.patterns) this.#routes.add(pattern, group)
    this.#remembered.clear()
  }

  remove(group: LogGroup): void {
    this.#groups.delete(group.name)
    for (const pattern of group.patterns) this.#routes.remove(pattern, group)
    this.#remembered.clear()
  }

  /** Hands new events to the groups that want them. */
  offer(records: readonly LogRecord[]): void {
    const touched = new Set<LogGroup>()
    for (const record of records) {
      for (const group of this.#wanting(record.type)) {
        group.offer(record)
        touched.add(group)
      }
    }
    for (const group of touched) group.serve()
  }

  #wanting(type: string): readonly LogGroup[] {
    let groups = this.#remembered.get(type)
    if (groups === undefined) {
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
      groups = [...this.#routes.match(type)]
      this.#remembered.set(type, groups)
    }
    return groups
  }
}
