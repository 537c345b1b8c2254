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

/** What a pruning removed. */
export interface Pruned {
  /** Compiled handlers removed. */
  entries: number
  /** What they and the records of bundles took, in bytes. */
  bytes: number
}

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
  /** Artifacts when last measured, plus those added since. */
  entries = 0
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
  async added(bytes: number, isEntry: boolean): Promise<void> {
    this.bytes += bytes
    if (isEntry) this.entries++
    this.#addedSinceMeasured += bytes
    // Again and again: a measurement that was under way when the file came does not know of it.
    while (this.#isDue()) await this.measure()
  }

  /** Delete every file of the cache. */
  async deleteAll(): Promise<void> {
    for (const name of await this.#list()) {
      if (CACHE_FILE.test(name) || TEMPORARY_FILE.test(name)) await this.#delete(name)
    }
    this.bytes = 0
    this.entries = 0
  }

  /** Measure the directory, and delete what is over the limit. */
  async measure(): Promise<void> {
    this.#measuring ??= this.#shrink().finally(() => {
      this.#measuring = undefined
    })
    await this.#measuring
  }

  /** Delete entries that were not used since `unusedSince`, and those used longest ago until `maxBytes` are left. */
  async prune(maxBytes: number, unusedSince: number): Promise<Pruned> {
    await this.#measuring
    const entries = (await this.#measure()).sort((a, b) => a.lastUsed - b.lastUsed)
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    const pruned: Pruned = { entries: 0, bytes: 0 }
    for (const entry of entries) {
      if (bytes <= maxBytes && entry.lastUsed >= unusedSince) break
      for (const name of entry.names) await this.#delete(name)
      bytes -= entry.bytes
      if (isArtifact(entry)) pruned.entries++
      pruned.bytes += entry.bytes
    }
    this.bytes = bytes
    this.entries = entries.filter(isArtifact).length - pruned.entries
    return pruned
  }

  #isDue(): boolean {
    return (
      this.#addedSinceMeasured >= this.#maxBytes * REMEASURE_SHARE || this.bytes > this.#maxBytes
    )
  }

  async #shrink(): Promise<void> {
    this.#addedSinceMeasured = 0
    const entries = await this.#measure()
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    let kept = entries.filter(isArtifact).length
    if (bytes > this.#maxBytes) {
      entries.sort((a, b) => a.lastUsed - b.lastUsed)
      for (const entry of entries) {
        if (bytes <= this.#maxBytes * KEEP_SHARE) break
        for (const name of entry.names) await this.#delete(name)
        bytes -= entry.bytes
        if (isArtifact(entry)) kept--
        this.evictions++
      }
    }
    this.entries = kept
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

/** Whether the files are a compiled handler, rather than the record of a bundle. */
function isArtifact({ names }: DiskEntry): boolean {
  return names[0]!.endsWith('.qjsc')
}
