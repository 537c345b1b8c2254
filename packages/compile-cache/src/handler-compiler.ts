import { createRequire } from 'node:module'
import { relative, resolve, sep } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { Bundler, inputsOf } from './bundler.js'
import { CacheKeys } from './cache-key.js'
import type { Artifact, CacheTier, CompiledHandler, CompileOptions } from './compiled-handler.js'
import { DiskTier, type DiskTierStats } from './disk-tier.js'
import { engineVersion } from './engine.js'
import { CompileError } from './errors.js'
import { EsbuildService } from './esbuild-service.js'
import { type MemoryEntry, MemoryTier, type MemoryTierStats } from './memory-tier.js'
import {
  type HandlerCompilerOptions,
  type ResolvedCompilerOptions,
  resolveOptions,
} from './options.js'
import { Sealer } from './seal.js'
import { SharedTierClient, type SharedTierStats } from './shared-tier.js'
import { SourceCompiler } from './source-compiler.js'

/** What a `HandlerCompiler` holds and did. */
export interface HandlerCompilerStats {
  memory: MemoryTierStats
  /** Absent when the disk tier is off. */
  disk?: DiskTierStats | undefined
  /** Absent without a shared tier. */
  shared?: SharedTierStats | undefined
  /** Sources compiled because no tier had them. */
  compiles: number
  /** Those of them that compiled on the worker thread. */
  workerCompiles: number
  /** Runs of esbuild over a file. */
  bundles: number
  /** Compiles that failed. */
  failures: number
}

/** What one source needs to be found or made. */
interface Job {
  key: string
  filename: string
  link?: { source: string; variant: string }
  produce: () => Promise<Artifact>
}

interface Found {
  entry: MemoryEntry
  tier: CacheTier
}

interface Tiers {
  disk: DiskTier | undefined
  shared: SharedTierClient | undefined
}

/**
 * Compiles handlers to QuickJS module bytecode and keeps it: in memory, on disk, and where several machines
 * share it.
 */
export class HandlerCompiler {
  readonly #options: ResolvedCompilerOptions
  readonly #keys: CacheKeys
  readonly #memory: MemoryTier
  readonly #sources: SourceCompiler
  readonly #bundler: Bundler
  readonly #pending = new Map<string, Promise<Found>>()
  readonly #warned = new Set<string>()
  #tiers: Promise<Tiers> | undefined
  #openTiers: Tiers | undefined
  #bundles = 0
  #failures = 0
  #closed = false

  /** @throws CompileError INVALID_OPTIONS */
  constructor(options: HandlerCompilerOptions = {}) {
    this.#options = resolveOptions(options)
    this.#keys = new CacheKeys([
      `${manifest.name}@${manifest.version}`,
      engineVersion(),
      this.#options.version,
    ])
    this.#memory = new MemoryTier(this.#options.maxMemoryBytes, this.#options.clock)
    this.#sources = new SourceCompiler(this.#options)
    const service = new EsbuildService(this.#options.compileTimeoutMs)
    this.#bundler = new Bundler(service, this.#options.rootDir)
  }

  /**
   * Compile the source of one ES module, or take it from a tier. It cannot import other modules.
   *
   * @throws CompileError COMPILATION_ERROR, RESOURCE_LIMIT or CLOSED
   */
  async compile(source: string, options: CompileOptions = {}): Promise<CompiledHandler> {
    this.#assertOpen()
    const started = performance.now()
    const language = options.language ?? (/\.m?ts$/.test(options.filename ?? '') ? 'ts' : 'js')
    const filename = options.filename ?? `handler.${language}`
    const variant = `${language}:${filename}`
    const known = this.#memory.getBySource(source, variant)
    if (known) return answer({ entry: known, tier: 'memory' }, started)

    this.#sources.assertLength(source, filename)
    const isTypeScript = language === 'ts'
    const found = await this.#find({
      key: isTypeScript
        ? this.#keys.of('ts', esbuildVersion(), filename, source)
        : this.#keys.of('js', filename, source),
      filename,
      link: { source, variant },
      produce: async () => {
        const js = isTypeScript
          ? await this.#bundler.transpile(source, filename)
          : { code: source, sourceMap: undefined }
        const bytecode = await this.#sources.compile({ ...js, filename })
        return { bytecode, sourceMap: js.sourceMap }
      },
    })
    return answer(found, started)
  }

  /**
   * Bundle a file with everything that it imports (TypeScript, ES modules, JSON, npm packages) and compile
   * it, or take the result from a tier. A change of any file that matters is seen.
   *
   * @param path absolute, or relative to `rootDir`
   * @throws CompileError COMPILATION_ERROR, RESOURCE_LIMIT or CLOSED
   */
  async compileFile(
    path: string,
    options: Pick<CompileOptions, 'filename'> = {},
  ): Promise<CompiledHandler> {
    this.#assertOpen()
    const started = performance.now()
    const { rootDir } = this.#options
    const file = resolve(rootDir, path)
    const filename = options.filename ?? relative(rootDir, file).split(sep).join('/')
    this.#bundles++
    const { code, sourceMap, metafile } = await this.#counted(this.#bundler.bundle(file, filename))
    const found = await this.#find({
      key: this.#keys.of('bundle', filename, code, sourceMap),
      filename,
      produce: async () => {
        const bytecode = await this.#sources.compile({ code, filename, sourceMap })
        return { bytecode, sourceMap }
      },
    })
    return answer(found, started, inputsOf(metafile, rootDir))
  }
  /**
   * Compile sources ahead of their first use, and wait until the results are stored.
   *
   * @throws CompileError of the first source that fails, after all have been tried
   */
  async precompile(
    sources: readonly (string | ({ source: string } & CompileOptions))[],
  ): Promise<CompiledHandler[]> {
    const compiled = await Promise.allSettled(
      sources.map((item) =>
        typeof item === 'string' ? this.compile(item) : this.compile(item.source, item),
      ),
    )
    await this.#flush()
    return compiled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  /** What the tiers hold and did, and their limits. */
  getStats(): HandlerCompilerStats {
    const { workerCompiles, inlineCompiles } = this.#sources
    return {
      memory: this.#memory.getStats(),
      disk: this.#openTiers?.disk?.getStats(),
      shared: this.#openTiers?.shared?.getStats(),
      compiles: inlineCompiles + workerCompiles,
      workerCompiles,
      bundles: this.#bundles,
      failures: this.#failures,
    }
  }

  /** Forget everything in memory and on disk; a shared tier belongs to others too and keeps its own. */
  async clearCache(): Promise<void> {
    this.#assertOpen()
    this.#memory.clear()
    const { disk } = await this.#getTiers()
    await disk?.clear()
  }

  /** End the worker thread and wait for writes under way. Compiles that run fail. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#sources.close()
    await this.#flush()
    this.#memory.clear()
  }

  async #find(job: Job): Promise<Found> {
    const known = this.#memory.get(job.key)
    if (known) return { entry: known, tier: 'memory' }
    const pending = this.#pending.get(job.key)
    if (pending) return pending
    this.#memory.missed()
    const found = this.#counted(this.#findOrProduce(job)).finally(() =>
      this.#pending.delete(job.key),
    )
    this.#pending.set(job.key, found)
    return found
  }

  async #findOrProduce({ key, filename, link, produce }: Job): Promise<Found> {
    const { disk, shared } = await this.#getTiers()
    const keep = (artifact: Artifact) => this.#memory.set(key, filename, artifact, link)

    const onDisk = await disk?.read(key)
    if (onDisk) return { entry: keep(onDisk), tier: 'disk' }

    const inShared = await shared?.read(key)
    if (inShared) {
      disk?.write(key, inShared)
      return { entry: keep(inShared), tier: 'shared' }
    }

    const artifact = await produce()
    disk?.write(key, artifact)
    shared?.write(key, artifact)
    return { entry: keep(artifact), tier: 'none' }
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      this.#failures++
      throw error
    }
  }

  #getTiers(): Promise<Tiers> {
    this.#tiers ??= this.#createTiers()
    return this.#tiers
  }

  async #createTiers(): Promise<Tiers> {
    const { cacheDir, maxCacheSizeBytes, secret, sharedTier, sharedTimeoutMs, clock } =
      this.#options
    const sealer = await Sealer.create(engineVersion(), secret)
    const disk =
      cacheDir === false
        ? undefined
        : new DiskTier({
            directory: resolve(cacheDir),
            maxBytes: maxCacheSizeBytes,
            sealer,
            clock,
            onTrouble: (message) => this.#warnOnce('disk', message),
          })
    const shared =
      sharedTier &&
      new SharedTierClient({
        tier: sharedTier,
        sealer,
        timeoutMs: sharedTimeoutMs,
        clock,
        onTrouble: (message) => this.#warnOnce('shared', message),
      })
    this.#openTiers = { disk, shared }
    return this.#openTiers
  }

  async #flush(): Promise<void> {
    await this.#openTiers?.disk?.flush()
    await this.#openTiers?.shared?.flush()
  }

  #warnOnce(kind: string, message: string): void {
    if (this.#warned.has(kind)) return
    this.#warned.add(kind)
    this.#options.onWarning(message)
  }

  #assertOpen(): void {
    if (!this.#closed) return
    throw new CompileError(
      'CLOSED',
      'This HandlerCompiler was closed: create another one to compile',
    )
  }
}

/** Read without loading esbuild, which a cache hit does not need. */
function esbuildVersion(): string {
  const { version }: { version: string } = createRequire(import.meta.url)('esbuild/package.json')
  return `esbuild@${version}`
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
