import type {
  CacheEntry,
  HandlerCompiler,
  HandlerCompilerStats,
  ModuleCache,
  ModuleCacheStats,
  ModuleEntry,
  Pruned,
  PruneOptions,
} from '@nexus/compile-cache'

/** What the caches of a runtime hold and did. */
export interface RuntimeCacheStats {
  /** Compiled JavaScript and TypeScript, by tier. */
  handlers: HandlerCompilerStats
  /** Compiled modules of WASI commands. */
  modules: ModuleCacheStats
  /** Share of the look-ups in both that were answered, 0 to 1; 0 before the first. */
  cacheHitRate: number
}

/** What is held in memory, the entry used last first. */
export interface RuntimeCacheEntries {
  /** Compiled JavaScript and TypeScript. */
  handlers: CacheEntry[]
  /** Compiled modules of WASI commands. */
  modules: ModuleEntry[]
}

/** The caches of a `WasmRuntime`: compiled handlers in memory, on disk and shared, and compiled WebAssembly modules. */
export class RuntimeCache {
  readonly #compiler: HandlerCompiler
  readonly #modules: ModuleCache

  /** @internal */
  constructor(compiler: HandlerCompiler, modules: ModuleCache) {
    this.#compiler = compiler
    this.#modules = modules
  }

  /** What the caches hold and did, their limits included. */
  getStats(): RuntimeCacheStats {
    const handlers = this.#compiler.getStats()
    const modules = this.#modules.cacheStats()
    const { memory, disk, shared, compiles } = handlers
    const hits = memory.hits + (disk?.hits ?? 0) + (shared?.hits ?? 0) + modules.hits
    const lookups = hits + compiles + modules.misses
    return { handlers, modules, cacheHitRate: lookups === 0 ? 0 : hits / lookups }
  }

  /** What is held in memory, with how often and when it was asked for. */
  list(): RuntimeCacheEntries {
    return { handlers: this.#compiler.listEntries(), modules: this.#modules.listEntries() }
  }

  /** Measures what the disk holds, what other processes wrote included, which {@link getStats} tells then. */
  measure(): Promise<void> {
    return this.#compiler.measureCache()
  }

  /** Forgets everything in memory and on disk; a shared tier belongs to others too and keeps its own. */
  async clear(): Promise<void> {
    this.#modules.clearCache()
    await this.#compiler.clearCache()
  }

  /** Writes what memory holds to the disk and the shared tier where they have lost it. */
  refill(): Promise<void> {
    return this.#compiler.refillCache()
  }

  /**
   * Removes from the disk what is not worth its space.
   *
   * @throws CompileError `INVALID_OPTIONS`
   */
  prune(options?: PruneOptions): Promise<Pruned> {
    return this.#compiler.pruneCache(options)
  }
}
