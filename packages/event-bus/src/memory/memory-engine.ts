import type {
  LogEngine,
  RangeOptions,
  RunningEntry,
  TableKey,
  TableName,
  TableValue,
  Write,
} from '../log/log-engine.js'
import { IdTable } from './id-table.js'
import { SortedTable } from './sorted-table.js'

/** The log's tables in this process's memory. */
export class MemoryEngine implements LogEngine {
  readonly backend = 'memory'
  readonly readOnly = false
  readonly #tables: Record<Exclude<TableName, 'ids'>, SortedTable> = {
    head: new SortedTable(),
    events: new SortedTable(),
    valueIndex: new SortedTable(),
    counts: new SortedTable(),
    groups: new SortedTable(),
    deliveries: new SortedTable(),
    due: new SortedTable(),
    dead: new SortedTable(),
    shared: new SortedTable(),
    states: new SortedTable(),
  }
  readonly #ids = new IdTable()

  get<N extends TableName>(table: N, key: TableKey<N>): TableValue<N> | undefined {
    if (table === 'ids') return this.#ids.get(key as [string, string]) as TableValue<N> | undefined
    return this.#table(table).get(key) as TableValue<N> | undefined
  }

  range<N extends TableName>(
    table: N,
    options: RangeOptions<TableKey<N>>,
  ): Iterable<{ key: TableKey<N>; value: TableValue<N> }> {
    const found = table === 'ids' ? this.#ids : this.#table(table)
    return found.range(options as never) as Iterable<{ key: TableKey<N>; value: TableValue<N> }>
  }

  count<N extends TableName>(table: N, options: RangeOptions<TableKey<N>>): number {
    return this.#table(table).count(options)
  }

  async commit(writes: readonly Write[]): Promise<void> {
    for (const { table, key, value } of writes) {
      if (table === 'ids') {
        if (value === undefined) this.#ids.remove(key)
        else this.#ids.put(key, value)
      } else if (value === undefined) this.#table(table).remove(key)
      else this.#table(table).put(key, value)
    }
  }

  async sync(): Promise<void> {}

  // Nothing outlives this process, so it is never asked for.
  saveRunning(): void {}

  loadRunning(): RunningEntry[] {
    return []
  }

  describe(): Record<string, never> {
    return {}
  }

  async close(): Promise<void> {}

  #table(name: TableName): SortedTable {
    return this.#tables[name as Exclude<TableName, 'ids'>]
  }
}
