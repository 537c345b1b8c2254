import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb'
import type { JsonValue } from '../../event/cloud-event.js'
import type {
  LogEngine,
  LogRecord,
  RangeOptions,
  RunningEntry,
  TableKey,
  TableName,
  TableValue,
  Write,
} from '../../log/log-engine.js'
import { DataCipher } from '../encryption/data-cipher.js'
import { checkDataKeys } from '../encryption/data-key-file.js'
import { openPrivate, type PrivateEntry, sealPrivate } from '../encryption/sealed-entry.js'
import type { ResolvedLocalStoreOptions } from '../local-store-options.js'
import { RunningFile } from '../running-file.js'
import { syncDirectory } from '../sync-directory.js'
import { commitFailure, readFailure } from './engine-failure.js'
import { decodeEntry, encodeEntry } from './entry-frame.js'
import { damagedRecord, decodeFrame, encodeFrame } from './record-frame.js'
import { TABLES } from './tables.js'

/** Name of the database's file in a store's directory. */
export const LOG_FILE = 'events.mdb'

type Key = string | number | (string | number)[]

/** lmdb's types leave this out. */
type SyncableDatabase = RootDatabase<unknown, Key> & {
  sync(callback: (error: unknown) => void): void
}

/** The log's tables in an LMDB environment. Check the log's file before: a damaged page can end the process. */
export class LmdbEngine implements LogEngine {
  readonly backend = 'local'
  readonly readOnly: boolean
  readonly #path: string
  readonly #root: SyncableDatabase
  readonly #tables: Record<TableName, Database<unknown, Key>>
  readonly #release: () => void
  readonly #running: RunningFile | undefined
  readonly #cipher: DataCipher | undefined

  constructor(
    {
      path,
      readOnly,
      durability,
      dataKey,
    }: Pick<ResolvedLocalStoreOptions, 'path' | 'readOnly' | 'durability' | 'dataKey'>,
    release: () => void,
  ) {
    this.#path = path
    this.readOnly = readOnly
    this.#release = release
    if (dataKey !== undefined) this.#cipher = new DataCipher(dataKey)
    checkDataKeys(path, this.#cipher, readOnly)
    this.#root = this.#reading(() => this.#open(durability))
    this.#tables = this.#reading(() => this.#openTables())
    if (readOnly) return
    this.#running = new RunningFile(path)
    syncDirectory(path)
  }

  #open(durability: ResolvedLocalStoreOptions['durability']): SyncableDatabase {
    return open<unknown, Key>({
      path: join(this.#path, LOG_FILE),
      readOnly: this.readOnly,
      maxDbs: 16,
      // Without it a power cut may undo the newest commits, but never harms what is there.
      noMetaSync: durability === 'os',
      // These make promises that no caller can handle, or that a failed commit leaves pending:
      // a full disk would end the process, or keep it from closing.
      eventTurnBatching: false,
      overlappingSync: false,
    } as RootDatabaseOptionsWithPath) as SyncableDatabase
  }

  #openTables(): Record<TableName, Database<unknown, Key>> {
    return Object.fromEntries(
      TABLES.map((name) => [name, this.#root.openDB({ name, encoding: 'binary' })]),
    ) as Record<TableName, Database<unknown, Key>>
  }

  get<N extends TableName>(table: N, key: TableKey<N>): TableValue<N> | undefined {
    return this.#reading(() => this.#decode(table, key, this.#tables[table].get(key)))
  }

  *range<N extends TableName>(
    table: N,
    { start, end, reverse = false, limit }: RangeOptions<TableKey<N>>,
  ): Iterable<{ key: TableKey<N>; value: TableValue<N> }> {
    const options = { start, end, reverse, ...(limit !== undefined && { limit }) }
    try {
      for (const { key, value } of this.#tables[table].getRange(options)) {
        const decoded = this.#decode(table, key as TableKey<N>, value)
        if (decoded !== undefined) yield { key: key as TableKey<N>, value: decoded }
      }
    } catch (error) {
      throw readFailure(error, this.#path)
    }
  }

  count<N extends TableName>(table: N, { start, end }: RangeOptions<TableKey<N>>): number {
    return this.#reading(() => this.#tables[table].getCount({ start, end }))
  }

  commit(writes: readonly Write[]): Promise<void> {
    let last: Promise<unknown> | undefined
    const committed = this.#root.batch(() => {
      for (const write of writes) {
        const done = this.#write(write)
        // They all fail with the batch, whose error is the one that is reported.
        if (done !== last) done.catch?.(() => {})
        last = done
      }
    })
    return committed.then(noValue, rethrowCause).catch((error: unknown) => {
      throw commitFailure(error, this.#path)
    })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#root.sync((error) =>
        error === undefined || error === null ? resolve() : reject(error),
      )
    })
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

  #write(write: Write): Promise<unknown> {
    const table = this.#tables[write.table]
    if (write.value === undefined) return table.remove(write.key)
    return table.put(write.key, this.#encode(write, write.value))
  }

  #reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw readFailure(error, this.#path)
    }
  }

  #encode({ table, key }: Write, value: NonNullable<Write['value']>): unknown {
    if (table === 'events') return encodeFrame(value as LogRecord, this.#cipher)
    const stored =
      this.#cipher !== undefined && isPrivate(table)
        ? sealPrivate(value as PrivateEntry, table, key, this.#cipher)
        : value
    return encodeEntry(table, key, stored)
  }

  #decode<N extends TableName>(
    table: N,
    key: TableKey<N>,
    value: unknown,
  ): TableValue<N> | undefined {
    if (value === undefined) return undefined
    const path = this.#path
    if (table === 'events') {
      const record = decodeFrame(value as Buffer, this.#cipher)
      if (record?.sequence !== key) throw damagedRecord(key as number, path)
      return record as TableValue<N>
    }
    const entry = decodeEntry(table, key, value as Buffer, path)
    if (!isPrivate(table)) return entry as TableValue<N>
    return openPrivate(entry as PrivateEntry, table, key, this.#cipher, path) as TableValue<N>
  }
}

/** Whether entries of a table hold what handlers said. */
function isPrivate(table: TableName): boolean {
  return table === 'deliveries' || table === 'dead' || table === 'states'
}

function noValue(): void {}

/** lmdb keeps the reason of a failed commit in a promise of its own. */
async function rethrowCause(error: Error & { commitError?: Promise<never> }): Promise<never> {
  await error.commitError
  throw error
}
