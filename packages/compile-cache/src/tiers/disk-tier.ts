import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, futimesSync, openSync, readSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { Artifact } from '../compiled-handler.js'
import type { DiskFileSystem } from './disk-file-system.js'
import { DiskUsage } from './disk-usage.js'
import type { Sealer } from './seal.js'

/**
 * Files up to this size are read on the calling thread: from the page cache that takes about 10 µs, where a
 * promise for it takes the same thread five times as long and the caller ten to thirty times.
 */
const READ_NOW_BYTES = 256 * 1024

/** Whoever can write to the directory must not be able to hold up this process with a pipe. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/** Entries count as just used for this long, so that reading them again does not write. */
const USE_GRAIN_MS = 60_000

/** Files open at a time, so that a burst of compiles does not take the host's file descriptors. */
const MAX_OPEN_FILES = 16

/** What the disk tier holds and did. */
export interface DiskTierStats {
  directory: string
  /** Bytes in the directory when it was last measured, plus what this process wrote since. */
  bytes: number
  maxBytes: number
  hits: number
  misses: number
  /** Files that were damaged, forged or of another format; each also counts as a miss. */
  rejected: number
  writes: number
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
    if (bytecode.byteLength + (sourceMap?.length ?? 0) > this.#settings.maxBytes) return
    this.#inBackground(async () => {
      // The map goes first: bytecode that is there promises a map that is there.
      if (sourceMap !== undefined) {
        const map = this.#settings.sealer.seal('source-map', key, Buffer.from(sourceMap))
        await this.#writeFile(`${key}.map`, map)
      }
      const code = this.#settings.sealer.seal('bytecode', key, bytecode, sourceMap !== undefined)
      await this.#writeFile(`${key}.qjsc`, code)
    })
  }

  /** The record stored under `key`, or undefined. */
  async readRecord(key: string): Promise<string | undefined> {
    const file = await this.#readFile(`${key}.inputs`)
    const opened = file && this.#settings.sealer.open('bundle-record', key, file)
    if (file && !opened) this.#rejected++
    return opened && Buffer.from(opened.payload.buffer).toString()
  }

  /** Store a record in the background. */
  writeRecord(key: string, record: string): void {
    this.#inBackground(async () => {
      const file = this.#settings.sealer.seal('bundle-record', key, Buffer.from(record))
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

  getStats(): DiskTierStats {
    return {
      directory: this.#settings.directory,
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

  async #readArtifact(key: string): Promise<Artifact | undefined> {
    const file = await this.#readFile(`${key}.qjsc`)
    if (!file) return undefined
    const code = this.#settings.sealer.open('bytecode', key, file)
    if (!code) {
      this.#rejected++
      return undefined
    }
    if (!code.hasSourceMap) return { bytecode: code.payload }
    const mapFile = await this.#readFile(`${key}.map`)
    const map = mapFile && this.#settings.sealer.open('source-map', key, mapFile)
    if (mapFile && !map) this.#rejected++
    return map && { bytecode: code.payload, sourceMap: Buffer.from(map.payload.buffer).toString() }
  }

  async #readFile(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#settings.directory, name)
    try {
      const now = this.#readNow(path)
      return now ?? (await this.#limit(() => this.#fs.readFile(path)))
    } catch {
      // Not there, or not readable: both are a miss, and the write that follows reports what is wrong.
      return undefined
    }
  }

  /** The contents of a small file; undefined for a larger one. */
  #readNow(path: string): Uint8Array | undefined {
    const file = openSync(path, OPEN_FLAGS)
    try {
      const { size, mtimeMs } = fstatSync(file)
      this.#markUsed(file, mtimeMs)
      if (size > READ_NOW_BYTES) return undefined
      const bytes = Buffer.allocUnsafeSlow(size)
      return bytes.subarray(0, readSync(file, bytes))
    } finally {
      closeSync(file)
    }
  }

  async #writeFile(name: string, bytes: Uint8Array): Promise<void> {
    const { directory } = this.#settings
    const temporary = join(directory, `${name}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      await this.#fs.mkdir(directory, { recursive: true })
      await this.#fs.writeFile(temporary, bytes, { flag: 'wx' })
      await this.#fs.rename(temporary, join(directory, name))
    } catch (error) {
      await this.#fs.unlink(temporary).catch(() => undefined)
      throw error
    }
    this.#writes++
    await this.#usage.added(bytes.byteLength)
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
        const reason = error instanceof Error ? error.message : String(error)
        this.#settings.onTrouble(
          `Cannot write the compile cache in ${this.#settings.directory}, so compiled handlers are kept in memory only: ${reason}`,
        )
      }),
    )
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#pending.delete(tracked))
    this.#pending.add(tracked)
  }
}
