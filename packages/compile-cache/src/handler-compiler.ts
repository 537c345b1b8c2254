import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import pLimit from 'p-limit'
import { z } from 'zod'
import manifest from '../package.json' with { type: 'json' }
import { Builder } from './bundle/builder.js'
import { BundleRecordStore } from './bundle/bundle-record-store.js'
import { CacheKeys, hashFields } from './cache-key.js'
import type { CompiledHandler, CompileOptions } from './compiled-handler.js'
import { engineVersion } from './engine/engine.js'
import { SourceCompiler } from './engine/source-compiler.js'
import { CompileError } from './errors.js'
import { type EntryFile, EntryFiles } from './import-gate/entry-file.js'
import { LookedPaths } from './import-gate/looked-paths.js'
import {
  type HandlerCompilerOptions,
  type ResolvedCompilerOptions,
  resolveOptions,
} from './options.js'
import { mentionsNode } from './platform/mentions-node.js'
import { ArtifactStore, type ArtifactStoreStats, type Found } from './tiers/artifact-store.js'
import type { Pruned } from './tiers/disk-usage.js'
import type { CacheEntry } from './tiers/memory-tier.js'

/** How many items `precompile` works on at a time. */
const PRECOMPILE_CONCURRENCY = 8

/** How to compile one file. */
export interface CompileFileOptions {
  /**
   * File name for stack traces and errors.
   * @default the path relative to `rootDir`
   */
  filename?: string | undefined
  /**
   * The import root: the directory whose files the handler may import. Absolute, or relative to `rootDir`.
   * @default the directory of the file
   */
  root?: string | undefined
}

/** What to compile ahead: a source, a source with its options, or a file. */
export type PrecompileItem =
  | string
  | ({ source: string } & CompileOptions)
  | ({ path: string } & CompileFileOptions)

/** What a `HandlerCompiler` holds and did. */
export interface HandlerCompilerStats extends ArtifactStoreStats {
  /** Sources that the engine compiled, because no tier had their bytecode. */
  compiles: number
  /** Those of them that compiled on the worker thread. */
  workerCompiles: number
  /** Files that esbuild bundled. */
  bundles: number
  /** Compiles that failed. */
  failures: number
  /** Share of the look-ups that a tier answered, 0 to 1; 0 before the first. */
  cacheHitRate: number
}

/** What {@link HandlerCompiler.pruneCache} removes from the disk. */
export interface PruneOptions {
  /**
   * Removes what was used longest ago until at most this is left, in bytes.
   * @default `maxCacheSizeBytes`
   */
  maxBytes?: number | undefined
  /**
   * Removes what was not used for this long, in milliseconds; use is noted to the minute.
   * @default never
   */
  unusedForMs?: number | undefined
}

const pruneOptions = z.strictObject({
  maxBytes: z.number().int().min(0).optional(),
  unusedForMs: z.number().min(0).optional(),
}) satisfies z.ZodType<PruneOptions, PruneOptions>

interface FoundFile {
  found: Found
  inputs: string[]
}

/**
 * Compiles handlers to QuickJS module bytecode and keeps it: in memory, on disk, and where several
 * machines share it.
 *
 * @example
 * ```ts
 * const compiler = new HandlerCompiler({ cacheDir: '.nexus-cache' })
 * const handler = await compiler.compileFile('functions/order.ts')
 * console.log(handler.bytecode.byteLength, handler.cacheTier) // … none, and from then on disk or memory
 * await compiler.close()
 * ```
 */
export class HandlerCompiler {
  readonly #options: ResolvedCompilerOptions
  readonly #keys: CacheKeys
  readonly #store: ArtifactStore
  readonly #compiler: SourceCompiler
  readonly #builder: Builder
  readonly #records: BundleRecordStore
  readonly #entries: EntryFiles
  readonly #looked = new LookedPaths()
  readonly #files = new Map<string, Promise<FoundFile>>()
  #bundles = 0
  #failures = 0
  #closed = false

  /** @throws CompileError INVALID_OPTIONS */
  constructor(options: HandlerCompilerOptions = {}) {
    this.#options = resolveOptions(options)
    const { version } = this.#options
    this.#keys = new CacheKeys([`${manifest.name}@${manifest.version}`, engineVersion(), version])
    this.#store = new ArtifactStore(this.#options)
    this.#compiler = new SourceCompiler(this.#options)
    this.#records = new BundleRecordStore(this.#store, this.#options.maxFileBytes)
    this.#entries = new EntryFiles(this.#options)
    this.#builder = new Builder(this.#options, this.#entries)
  }

  /**
   * Compile the source of one ES module, or take it from a tier. It can import the modules of Node that the sandbox has, and no
   * others.
   *
   * @throws CompileError COMPILATION_ERROR, RESOURCE_LIMIT or CLOSED
   */
  async compile(source: string, options: CompileOptions = {}): Promise<CompiledHandler> {
    this.#assertOpen()
    const started = performance.now()
    assertArguments(source, options)
    const language = options.language ?? (/\.m?ts$/.test(options.filename ?? '') ? 'ts' : 'js')
    const filename = options.filename ?? `handler.${language}`
    const link = { source, variant: `${language}:${filename}` }
    const known = this.#store.getBySource(link)
    if (known) return answer({ entry: known, tier: 'memory' }, started)
    const found = await this.#counted(() => {
      if (mentionsNode(source)) return this.#compileWithNode(source, filename, language)
      return language === 'ts'
        ? this.#compileTypeScript(source, filename, link.variant)
        : this.#compileJavaScript(source, filename, link.variant)
    })
    return this.#answer(found, started)
  }

  /**
   * Bundle a file with everything that it imports (TypeScript, ES modules, JSON, npm packages) and compile
   * it, or take the result from a tier. A change of any file that matters is seen.
   *
   * @param path absolute, or relative to `rootDir`
   * @throws CompileError COMPILATION_ERROR, IMPORT_REFUSED, RESOURCE_LIMIT or CLOSED
   */
  async compileFile(path: string, options: CompileFileOptions = {}): Promise<CompiledHandler> {
    this.#assertOpen()
    const started = performance.now()
    const entry = await this.#counted(async () => this.#entries.find(path, options.root))
    const filename = options.filename ?? entry.name
    const id = hashFields([entry.path, entry.root, filename])
    let compiling = this.#files.get(id)
    if (!compiling) {
      // Calls of one turn share the work; a later call must see what changed since this one read the files.
      compiling = setImmediate().then(() => {
        this.#files.delete(id)
        return this.#counted(() => this.#compileBundle(entry, filename))
      })
      this.#files.set(id, compiling)
    }
    const { found, inputs } = await compiling
    return this.#answer(found, started, inputs)
  }

  /**
   * The paths that the last compile of a file looked at, found or not, failed or not: while nothing changes at any of
   * them, another compile gives the same. For those who watch.
   *
   * @param path as given to `compileFile`
   * @returns absolute paths; only that of the file before its first compile
   */
  lookedAt(path: string, { root }: Pick<CompileFileOptions, 'root'> = {}): string[] {
    return [resolve(this.#options.rootDir, path), ...this.#looked.of(this.#entryOf(path, root))]
  }

  /**
   * Read a file for a function by the rules that hold for its imports, such as a WebAssembly binary.
   *
   * @param path absolute, or relative to `rootDir`
   * @param options `root` as in `compileFile`; `maxBytes` longest file, in bytes, `maxFileBytes` by default
   * @throws CompileError IMPORT_REFUSED, RESOURCE_LIMIT, or COMPILATION_ERROR when it is not there
   */
  readFile(path: string, options: { root?: string | undefined; maxBytes?: number } = {}): Buffer {
    const { root, maxBytes } = options
    return this.#entries.read(this.#entries.find(path, root), maxBytes)
  }

  /**
   * Compile ahead of the first use, and wait until the results are stored.
   *
   * @param items sources, or files by `path`
   * @returns the handlers in the order of the items
   * @throws CompileError of the first item that fails, after all have been tried
   */
  async precompile(items: readonly PrecompileItem[]): Promise<CompiledHandler[]> {
    const limit = pLimit(PRECOMPILE_CONCURRENCY)
    const compiled = await Promise.allSettled(
      items.map((item) =>
        limit(() => {
          if (typeof item === 'string') return this.compile(item)
          if ('path' in item) return this.compileFile(item.path, item)
          return this.compile(item.source, item)
        }),
      ),
    )
    await this.#store.flush()
    return compiled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  /** What the tiers hold and did, their limits included. */
  getStats(): HandlerCompilerStats {
    const { inlineCompiles, workerCompiles } = this.#compiler
    const tiers = this.#store.getStats()
    const compiles = inlineCompiles + workerCompiles
    const hits = tiers.memory.hits + (tiers.disk?.hits ?? 0) + (tiers.shared?.hits ?? 0)
    return {
      ...tiers,
      cacheHitRate: hits + compiles === 0 ? 0 : hits / (hits + compiles),
      compiles,
      workerCompiles,
      bundles: this.#bundles,
      failures: this.#failures,
    }
  }

  /**
   * Change how many bytes are kept in memory; what was used last stays, as far as it fits.
   *
   * @throws CompileError INVALID_OPTIONS
   */
  resizeMemory(maxMemoryBytes: number): void {
    this.#store.resizeMemory(resolveOptions({ maxMemoryBytes }, {}).maxMemoryBytes)
  }

  /** Forget everything in memory and on disk; a shared tier belongs to others too and keeps its own. */
  async clearCache(): Promise<void> {
    this.#assertOpen()
    this.#records.clear()
    await this.#store.clear()
  }

  /**
   * Write what memory holds to the disk and the shared tier where they have lost it, because they were pruned or another program
   * emptied them, and wait until it is there.
   *
   * @throws CompileError CLOSED
   */
  async refillCache(): Promise<void> {
    this.#assertOpen()
    await this.#records.refill()
    await this.#store.refill()
  }

  /** What is held in memory, the entry used last first. */
  listEntries(): CacheEntry[] {
    return this.#store.list()
  }

  /**
   * Remove from the disk what is not worth its space; what is in memory stays.
   *
   * @returns how many entries were removed, and what they took
   * @throws CompileError INVALID_OPTIONS or CLOSED
   */
  async pruneCache(options: PruneOptions = {}): Promise<Pruned> {
    this.#assertOpen()
    const parsed = pruneOptions.safeParse(options)
    if (!parsed.success) {
      const why = z.prettifyError(parsed.error)
      throw new CompileError('INVALID_OPTIONS', `Wrong options of pruneCache:\n${why}`)
    }
    const { maxBytes = this.#options.maxCacheSizeBytes, unusedForMs = Number.POSITIVE_INFINITY } =
      parsed.data
    return this.#store.prune(maxBytes, this.#options.clock() - unusedForMs)
  }

  /** Measure what the disk holds, what other processes wrote included, so that {@link getStats} tells it. */
  async measureCache(): Promise<void> {
    this.#assertOpen()
    await this.#store.measure()
  }

  /** End the worker threads, whose work fails, and wait for every other compile and write under way. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#builder.close(), this.#compiler.close()])
    await Promise.allSettled(this.#files.values())
    await this.#store.settle()
  }

  /** {@link close}, by the name that other classes have it under. */
  shutdown(): Promise<void> {
    return this.close()
  }

  /** See {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #compileJavaScript(source: string, filename: string, variant: string): Promise<Found> {
    this.#compiler.assertLength(source, filename)
    return this.#store.find({
      key: this.#keys.of('js', filename, source),
      filename,
      link: { source, variant },
      produce: async () => ({
        bytecode: await this.#compiler.compile({ code: source, filename }),
      }),
    })
  }

  async #compileTypeScript(source: string, filename: string, variant: string): Promise<Found> {
    this.#compiler.assertLength(source, filename)
    return this.#store.find({
      key: this.#keys.of('ts', this.#builder.version, filename, source),
      filename,
      link: { source, variant },
      produce: async () => {
        const { code, sourceMap } = await this.#builder.transpile(source, filename)
        return {
          bytecode: await this.#compiler.compile({ code, filename, sourceMap }),
          sourceMap,
        }
      },
    })
  }

  async #compileWithNode(source: string, filename: string, language: 'js' | 'ts'): Promise<Found> {
    this.#compiler.assertLength(source, filename)
    return this.#store.find({
      key: this.#keys.of('node', this.#builder.version, language, filename, source),
      filename,
      link: { source, variant: `${language}:${filename}` },
      produce: async () => {
        const { code, sourceMap } = await this.#builder.bundleSource(source, filename, language)
        this.#compiler.assertLength(code, filename)
        return {
          bytecode: await this.#compiler.compile({ code, filename, sourceMap, bundled: true }),
          sourceMap,
        }
      },
    })
  }

  async #compileBundle(entry: EntryFile, filename: string): Promise<FoundFile> {
    // With this record unchanged, esbuild would make the same bundle again.
    const recordKey = this.#keys.of(
      'record',
      this.#builder.version,
      this.#entries.rules,
      entry.path,
      entry.root,
      filename,
    )
    const record = await this.#records.current(recordKey)
    const cached = record && (await this.#store.lookup(record.cacheKey, filename))
    if (cached) {
      this.#looked.set(entry, record.facts)
      return { found: cached, inputs: record.inputs }
    }

    this.#bundles++
    const { result, facts } = await this.#builder.bundle(entry, filename)
    // What failed is mended at one of these paths.
    if (facts) this.#looked.set(entry, facts)
    if (result instanceof CompileError) throw result
    const { code, sourceMap, inputs, digest } = result
    this.#compiler.assertLength(code, filename)
    const cacheKey = this.#keys.of('bundle', filename, digest)
    if (facts) this.#records.remember(recordKey, { cacheKey, inputs, facts })
    const found = await this.#store.find({
      key: cacheKey,
      filename,
      produce: async () => ({
        bytecode: await this.#compiler.compile({ code, filename, sourceMap, bundled: true }),
        sourceMap,
      }),
    })
    return { found, inputs }
  }

  #answer(found: Found, started: number, inputs?: string[]): CompiledHandler {
    const handler = answer(found, started, inputs)
    const { filename, cacheTier, bytecode, compileTimeUs } = handler
    const ms = Math.round(compileTimeUs / 10) / 100
    const fields = { filename, cacheTier, bytes: bytecode.byteLength, ms }
    if (cacheTier === 'none') this.#options.logger.debug(fields, 'compiled')
    else this.#options.logger.debug(fields, 'compiled code came from the cache')
    return handler
  }

  /** Undefined where there is none, or none that may be read. */
  #entryOf(path: string, root: string | undefined): EntryFile | undefined {
    try {
      return this.#entries.find(path, root)
    } catch (error) {
      if (error instanceof CompileError) return undefined
      throw error
    }
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#failures++
      throw error
    }
  }

  #assertOpen(): void {
    if (!this.#closed) return
    throw new CompileError(
      'CLOSED',
      'This HandlerCompiler was closed: create another one to compile',
    )
  }
}

/** Cheap enough for every call: a wrong language would compile as JavaScript, and fail far from its cause. */
function assertArguments(source: unknown, { language }: CompileOptions): void {
  if (typeof source !== 'string') {
    throw new CompileError(
      'INVALID_OPTIONS',
      `Expected the source as a string, got ${typeof source}`,
    )
  }
  if (language !== undefined && language !== 'js' && language !== 'ts') {
    throw new CompileError(
      'INVALID_OPTIONS',
      `Expected language "js" or "ts", got ${JSON.stringify(language)}`,
    )
  }
}

function answer({ entry, tier }: Found, started: number, inputs?: string[]): CompiledHandler {
  return {
    bytecode: entry.bytecode,
    sourceMap: entry.sourceMap,
    cacheKey: entry.key,
    cacheHit: tier !== 'none',
    cacheTier: tier,
    compileTimeUs: (performance.now() - started) * 1000,
    filename: entry.filename,
    inputs,
  }
}
