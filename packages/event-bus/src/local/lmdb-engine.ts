import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { JsonValue } from '../cloud-event.js'
import type {
  LogEngine,
  RangeOptions,
  RunningEntry,
  TableKey,
  TableName,
  TableValue,
  Write,
} from '../log/log-engine.js'
import { checkLogFile } from './check-file.js'
import { damagedRecord, decodeFrame, encodeFrame } from './record-frame.js'
import { RunningFile } from './running-file.js'

/** Name of the database's file in a store's directory. */
export const LOG_FILE = 'events.mdb'

const TABLES: readonly TableName[] = [
  'head',
  'events',
  'ids',
  'postings',
  'counts',
  'groups',
  'deliveries',
  'due',
  'dead',
]

type Key = string | number | (string | number)[]

/** The log's tables in an LMDB environment. */
export class LmdbEngine implements LogEngine {
  readonly backend = 'local'
  readonly readOnly: boolean
  readonly #path: string
  readonly #root: RootDatabase<unknown, Key>
  readonly #tables: Record<TableName, Database<unknown, Key>>
  readonly #release: () => void
  readonly #running: RunningFile | undefined

  constructor(path: string, readOnly: boolean, release: () => void) {
    this.#path = path
    this.readOnly = readOnly
    this.#release = release
    checkLogFile(join(path, LOG_FILE))
    this.#root = open({ path: join(path, LOG_FILE), readOnly, maxDbs: 16 })
    this.#tables = Object.fromEntries(
      TABLES.map((name) => [
        name,
        this.#root.openDB({ name, encoding: name === 'events' ? 'binary' : 'json' }),
      ]),
    ) as Record<TableName, Database<unknown, Key>>
    if (!readOnly) this.#running = new RunningFile(path)
  }

  get<N extends TableName>(table: N, key: TableKey<N>): TableValue<N> | undefined {
    return this.#decode(table, key, this.#tables[table].get(key))
  }

  *range<N extends TableName>(
    table: N,
    { start, end, reverse = false, limit }: RangeOptions<TableKey<N>>,
  ): Iterable<{ key: TableKey<N>; value: TableValue<N> }> {
    const options = { start, end, reverse, ...(limit !== undefined && { limit }) }
    for (const { key, value } of this.#tables[table].getRange(options)) {
      const decoded = this.#decode(table, key as TableKey<N>, value)
      if (decoded !== undefined) yield { key: key as TableKey<N>, value: decoded }
    }
  }

  count<N extends TableName>(table: N, { start, end }: RangeOptions<TableKey<N>>): number {
    return this.#tables[table].getCount({ start, end })
  }

  commit(writes: readonly Write[]): { committed: Promise<void>; flushed: Promise<void> } {
    const committed = this.#root.batch(() => {
      for (const write of writes) {
        const table = this.#tables[write.table]
        if (write.value === undefined) table.remove(write.key)
        else if (write.table === 'events') table.put(write.key, encodeFrame(write.value))
        else table.put(write.key, write.value)
      }
    })
    // Taken before the commit is awaited: afterwards it would stand for a later one.
    const flushed = Promise.resolve(this.#root.flushed)
    return { committed: committed.then(noValue), flushed: flushed.then(noValue) }
  }

  saveRunning(entries: readonly RunningEntry[]): void {
    this.#running?.save(entries)
  }

  loadRunning(): RunningEntry[] {
    return this.#running?.load() ?? []
  }

  describe(): Record<string, JsonValue> {
    return {
      path: this.#path,
      readOnly: this.readOnly,
      fileBytes: statSync(join(this.#path, LOG_FILE)).size,
    }
  }

  async close(): Promise<void> {
    await this.#root.close()
    this.#running?.close()
    this.#release()
  }

  #decode<N extends TableName>(
    table: N,
    key: TableKey<N>,
    value: unknown,
  ): TableValue<N> | undefined {
    if (table !== 'events' || value === undefined) return value as TableValue<N> | undefined
    const record = decodeFrame(value as Buffer)
    if (record === undefined) throw damagedRecord(key as number, this.#path)
    return record as TableValue<N>
  }
}

function noValue(): void {}
