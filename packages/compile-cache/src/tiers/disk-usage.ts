import { join } from 'node:path'
import { PRIVATE_FILE_MODE } from './cache-file.js'
import type { DiskFileSystem } from './disk-file-system.js'

/** Share of the limit that is left after deleting, so that not every write deletes. */
const KEEP_SHARE = 0.9

/** Share of the limit that one process writes before it measures the directory again. */
const REMEASURE_SHARE = 0.05

/** Age after which a temporary file belongs to a process that died. */
const STALE_TEMPORARY_MS = 10 * 60_000

const CACHE_FILE = /^([0-9a-f]{64})\.(?:qjsc|map|inputs)$/
const TEMPORARY_FILE = /^[0-9a-f]{64}\.(?:qjsc|map|inputs)\.[0-9a-f]{12}\.tmp$/

/** The files of one key. */
interface DiskEntry {
  names: string[]
  bytes: number
  lastUsed: number
}

/**
 * Keeps the cache directory below its limit by deleting the entries used longest ago. Processes that share
 * a directory do not talk to each other: each measures it again after writing a twentieth of the limit.
 */
export class DiskUsage {
  /** Bytes when last measured, plus what was added since. */
  bytes = 0
  /** Entries deleted for space. */
  evictions = 0
  readonly #directory: string
  readonly #maxBytes: number
  readonly #fs: DiskFileSystem
  readonly #clock: () => number
  #addedSinceMeasured = Number.POSITIVE_INFINITY
  #measuring: Promise<void> | undefined

  constructor(directory: string, maxBytes: number, fs: DiskFileSystem, clock: () => number) {
    this.#directory = directory
    this.#maxBytes = maxBytes
    this.#fs = fs
    this.#clock = clock
  }

  /** Count a written file, and measure and delete when it is time to. */
  async added(bytes: number): Promise<void> {
    this.bytes += bytes
    this.#addedSinceMeasured += bytes
    const due = this.#addedSinceMeasured >= this.#maxBytes * REMEASURE_SHARE
    if (!due && this.bytes <= this.#maxBytes) return
    this.#measuring ??= this.#shrink().finally(() => {
      this.#measuring = undefined
    })
    await this.#measuring
  }

  /** Delete every file of the cache. */
  async deleteAll(): Promise<void> {
    for (const name of await this.#list()) {
      if (CACHE_FILE.test(name) || TEMPORARY_FILE.test(name)) await this.#delete(name)
    }
    this.bytes = 0
  }

  async #shrink(): Promise<void> {
    this.#addedSinceMeasured = 0
    const entries = await this.#measure()
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    if (bytes > this.#maxBytes) {
      entries.sort((a, b) => a.lastUsed - b.lastUsed)
      for (const entry of entries) {
        if (bytes <= this.#maxBytes * KEEP_SHARE) break
        for (const name of entry.names) await this.#delete(name)
        bytes -= entry.bytes
        this.evictions++
      }
    }
    this.bytes = bytes + this.#addedSinceMeasured
  }

  async #measure(): Promise<DiskEntry[]> {
    const entries = new Map<string, DiskEntry>()
    for (const name of await this.#list()) {
      const key = CACHE_FILE.exec(name)?.[1]
      if (key === undefined && !TEMPORARY_FILE.test(name)) continue
      const stat = await this.#fs.lstat(join(this.#directory, name)).catch(() => undefined)
      if (!stat) continue // deleted by another process
      if (key === undefined) {
        if (this.#clock() - stat.mtimeMs > STALE_TEMPORARY_MS) await this.#delete(name)
        continue
      }
      if (stat.isFile() && (stat.mode & 0o077) !== 0) await this.#makePrivate(name)
      const entry = entries.get(key) ?? { names: [], bytes: 0, lastUsed: 0 }
      // Bytecode goes before its map, so that no reader finds it without one.
      if (name.endsWith('.qjsc')) entry.names.unshift(name)
      else entry.names.push(name)
      entry.bytes += stat.size
      entry.lastUsed = Math.max(entry.lastUsed, stat.mtimeMs)
      entries.set(key, entry)
    }
    return [...entries.values()]
  }

  async #list(): Promise<string[]> {
    return this.#fs.readdir(this.#directory).catch(() => [])
  }

  /** A file that was there before the cache made its files private. */
  async #makePrivate(name: string): Promise<void> {
    await this.#fs.chmod(join(this.#directory, name), PRIVATE_FILE_MODE).catch(() => undefined)
  }

  async #delete(name: string): Promise<void> {
    await this.#fs.unlink(join(this.#directory, name)).catch(() => undefined)
  }
}
