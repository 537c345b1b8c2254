import { randomBytes } from 'node:crypto'
import { futimesSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { join } from 'node:path'
import { describeThrown } from '@nexus/diagnostics'
import pLimit from 'p-limit'
import type { Artifact } from '../compiled-handler.js'
import { NotACacheFile, PRIVATE_FILE_MODE, readCacheFile, readCacheFileNow } from './cache-file.js'
import type { DiskFileSystem } from './disk-file-system.js'
import { DiskUsage, type Pruned } from './disk-usage.js'
import { MAX_SEALED_BYTES, Sealer } from './seal.js'

/** Entries count as just used for this long, so that reading them again does not write. */
const USE_GRAIN_MS = 60_000

/** For the owner only: the directory holds the code of handlers. */
const PRIVATE_DIRECTORY_MODE = 0o700

/** Set on directories that many users share, such as /tmp, which are not made private. */
const STICKY = 0o1000

/** Files open at a time, so that a burst of compiles does not take the host's file descriptors. */
const MAX_OPEN_FILES = 16

/** What the disk tier holds and did. */
export interface DiskTierStats {
  /** Absolute path of the directory. */
  directory: string
  /** Entries in the directory when it was last measured, plus what this process wrote since. */
  entries: number
  /** Bytes in the directory when it was last measured, plus what this process wrote since. */
  bytes: number
  /** The limit of `bytes`. */
  maxBytes: number
  /** Artifacts that were found. */
  hits: number
  /** Artifacts that were looked for and not found. */
  misses: number
  /** Files that were damaged, forged or of another format, each once until it is replaced. */
  rejected: number
  /** Files written. */
  writes: number
  /** Artifacts that could not be written. */
  failedWrites: number
  /** Entries deleted to stay below the limit. */
  evictions: number
}

/** How a disk tier is set up. */
export interface DiskTierSettings {
  directory: string
  maxBytes: number
  sealer: Sealer
  clock: () => number
  onTrouble: (message: string) => void
  /** Called with the path of each file that does not verify, once until it is replaced. */
  onDamaged?: ((path: string) => void) | undefined
  fs?: DiskFileSystem
}

/**
 * Artifacts as sealed files `<key>.qjsc` (bytecode), `<key>.map` (source map) and `<key>.inputs` (what a
 * bundle was made of). Files appear whole, by rename, so several processes can share the directory; a file
 * that does not verify counts as absent and the next write replaces it. No failure here fails a compile.
 */
export class DiskTier {
  readonly #settings: DiskTierSettings
  readonly #fs: DiskFileSystem
  readonly #usage: DiskUsage
  readonly #limit = pLimit(MAX_OPEN_FILES)
  readonly #pending = new Set<Promise<void>>()
  /** Damaged files that were told of and not replaced since. */
  readonly #damaged = new Set<string>()
  #hits = 0
  #misses = 0
  #rejected = 0
  #writes = 0
  #failedWrites = 0

  constructor(settings: DiskTierSettings) {
    this.#settings = settings
    this.#fs = settings.fs ?? nodeFs
    this.#usage = new DiskUsage(settings.directory, settings.maxBytes, this.#fs, settings.clock)
  }

  /** Let only the owner into the directory, also when it existed before with wider rights. */
  async makePrivate(): Promise<void> {
    const { directory } = this.#settings
    try {
      const { mode, uid } = await this.#fs.stat(directory)
      if (uid !== process.getuid?.() || (mode & 0o077) === 0 || (mode & STICKY) !== 0) return
      await this.#fs.chmod(directory, PRIVATE_DIRECTORY_MODE)
    } catch {
      // Not there yet, or a file system without modes.
    }
  }

  /** The artifact stored under `key`, or undefined. */
  async read(key: string): Promise<Artifact | undefined> {
    const artifact = await this.#readArtifact(key)
    if (artifact) this.#hits++
    else this.#misses++
    return artifact
  }

  /** Store an artifact in the background, unless it alone is larger than the tier; `flush()` waits for it. */
  write(key: string, artifact: Artifact): void {
    const { bytecode, sourceMap } = artifact
    const map = sourceMap === undefined ? undefined : Buffer.from(sourceMap)
    if (bytecode.byteLength + (map?.byteLength ?? 0) > this.#maxPayloadBytes) return
    this.#inBackground(async () => {
      // The map goes first: bytecode that is there promises a map that is there.
      if (map) {
        await this.#writeFile(`${key}.map`, this.#settings.sealer.seal('source-map', key, map))
      }
      const code = this.#settings.sealer.seal('bytecode', key, bytecode, map !== undefined)
      await this.#writeFile(`${key}.qjsc`, code)
    })
  }

  /** Store an artifact where it is missing or damaged. */
  async ensure(key: string, artifact: Artifact): Promise<void> {
    if (!(await this.#readArtifact(key))) this.write(key, artifact)
  }

  /** The record stored under `key`, or undefined. */
  async readRecord(key: string): Promise<string | undefined> {
    const file = await this.#readFile(`${key}.inputs`)
    const opened = file && this.#settings.sealer.open('bundle-record', key, file)
    if (file && !opened) this.#reject(`${key}.inputs`)
    return opened && Buffer.from(opened.payload.buffer).toString()
  }

  /** Store a record in the background. */
  writeRecord(key: string, record: string): void {
    const bytes = Buffer.from(record)
    if (bytes.byteLength > this.#maxPayloadBytes) return
    this.#inBackground(async () => {
      const file = this.#settings.sealer.seal('bundle-record', key, bytes)
      await this.#writeFile(`${key}.inputs`, file)
    })
  }

  /** Wait until everything written so far is on disk or has failed. */
  async flush(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  /** Delete every cache file; files that are not ours stay. */
  async clear(): Promise<void> {
    await this.flush()
    await this.#usage.deleteAll()
  }

  /** See {@link DiskUsage.prune}. */
  async prune(maxBytes: number, unusedSince: number): Promise<Pruned> {
    await this.flush()
    return this.#usage.prune(maxBytes, unusedSince)
  }

  /** Measure what is there from before, in the background. */
  measure(): void {
    this.#track(this.#usage.measure())
  }

  getStats(): DiskTierStats {
    return {
      directory: this.#settings.directory,
      entries: this.#usage.entries,
      bytes: this.#usage.bytes,
      maxBytes: this.#settings.maxBytes,
      hits: this.#hits,
      misses: this.#misses,
      rejected: this.#rejected,
      writes: this.#writes,
      failedWrites: this.#failedWrites,
      evictions: this.#usage.evictions,
    }
  }

  /** Longest payload that is stored; a longer artifact stays in memory. */
  get #maxPayloadBytes(): number {
    return Math.min(this.#settings.maxBytes, MAX_SEALED_BYTES - Sealer.headerBytes)
  }

  /** Longest file that is read. */
  get #maxFileBytes(): number {
    return this.#maxPayloadBytes + Sealer.headerBytes
  }

  async #readArtifact(key: string): Promise<Artifact | undefined> {
    const file = await this.#readFile(`${key}.qjsc`)
    if (!file) return undefined
    const code = this.#settings.sealer.open('bytecode', key, file)
    if (!code) {
      this.#reject(`${key}.qjsc`)
      return undefined
    }
    if (!code.hasSourceMap) return { bytecode: code.payload }
    const mapFile = await this.#readFile(`${key}.map`)
    const map = mapFile && this.#settings.sealer.open('source-map', key, mapFile)
    if (mapFile && !map) this.#reject(`${key}.map`)
    return map && { bytecode: code.payload, sourceMap: Buffer.from(map.payload.buffer).toString() }
  }

  async #readFile(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#settings.directory, name)
    try {
      const now = readCacheFileNow(path, this.#maxFileBytes, (file, mtimeMs) =>
        this.#markUsed(file, mtimeMs),
      )
      if (typeof now !== 'number') return now
      return await this.#limit(() => readCacheFile(this.#fs, path, now))
    } catch (error) {
      // Not there, or not readable: both are a miss, and the write that follows reports what is wrong.
      if (error instanceof NotACacheFile) this.#reject(name)
      return undefined
    }
  }

  #reject(name: string): void {
    // One compile may look for a file more than once before it is replaced.
    if (this.#damaged.has(name)) return
    this.#damaged.add(name)
    this.#rejected++
    this.#settings.onDamaged?.(join(this.#settings.directory, name))
  }

  async #writeFile(name: string, bytes: Uint8Array): Promise<void> {
    const { directory } = this.#settings
    const temporary = join(directory, `${name}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      await this.#fs.mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY_MODE })
      await this.#fs.writeFile(temporary, bytes, { flag: 'wx', mode: PRIVATE_FILE_MODE })
      await this.#fs.rename(temporary, join(directory, name))
    } catch (error) {
      await this.#fs.unlink(temporary).catch(() => undefined)
      throw error
    }
    this.#writes++
    this.#damaged.delete(name)
    await this.#usage.added(bytes.byteLength, name.endsWith('.qjsc'))
  }

  /** The modification time is the time of last use: access times are often not kept. */
  #markUsed(file: number, mtimeMs: number): void {
    const now = this.#settings.clock()
    if (now - mtimeMs < USE_GRAIN_MS) return
    try {
      futimesSync(file, new Date(now), new Date(now))
    } catch {
      // Not our file, or a read-only directory: it is a cache all the same.
    }
  }

  #inBackground(work: () => Promise<void>): void {
    this.#track(
      this.#limit(work).catch((error: unknown) => {
        this.#failedWrites++
        this.#settings.onTrouble(
          `Cannot write the compile cache in ${this.#settings.directory}, so compiled handlers are kept in memory only: ${describeThrown(error).message}`,
        )
      }),
    )
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#pending.delete(tracked))
    this.#pending.add(tracked)
  }
}
