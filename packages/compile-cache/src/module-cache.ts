import { createHash } from 'node:crypto'
import { describeThrown } from '@nexus/diagnostics'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { CompileError } from './errors.js'

/** Options of a `ModuleCache`. */
export interface ModuleCacheOptions {
  /**
   * Bytes of WebAssembly whose compiled modules are kept; machine code takes a few times as much.
   * @default 64 MiB
   */
  maxBytes?: number | undefined
  /**
   * Epoch milliseconds, for access times.
   * @default Date.now
   */
  clock?: (() => number) | undefined
}

/** What a `ModuleCache` holds and did. */
export interface ModuleCacheStats {
  /** Modules held. */
  size: number
  /** SHA-256 of each module held, in hex, the one used last first. */
  keys: string[]
  /** Modules that were held when they were asked for. */
  hits: number
  /** Modules that were compiled. */
  misses: number
  /** Modules dropped for space. */
  evictions: number
  /** Bytes of WebAssembly held. */
  bytes: number
  /** The limit of `bytes`. */
  maxBytes: number
  /** Share of the look-ups that found their module, 0 to 1; 0 before the first. */
  hitRate: number
}

/** One module that a `ModuleCache` holds. */
export interface ModuleEntry {
  /** SHA-256 of the binary, in hex. */
  key: string
  /** Size of the binary. */
  bytes: number
  /** How often it was asked for, the first time included. */
  accessCount: number
  /** When it was asked for last, in milliseconds since the epoch. */
  lastAccessedMs: number
}

interface HeldModule {
  module: WebAssembly.Module
  accessCount: number
  lastAccessedMs: number
}

const schema = z.strictObject({
  maxBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024),
  clock: z
    .custom<() => number>((value) => typeof value === 'function', 'expected a function')
    .default(() => Date.now),
}) satisfies z.ZodType<{ maxBytes: number; clock: () => number }, ModuleCacheOptions>

/**
 * Compiles each WebAssembly binary once, by its content.
 *
 * @example
 * ```ts
 * const modules = new ModuleCache({ maxBytes: 16 * 1024 * 1024 })
 * const module = await modules.getOrCompileModule(await readFile('command.wasm'))
 * console.log(modules.cacheStats().misses) // 1
 * ```
 */
export class ModuleCache {
  readonly #modules: LRUCache<string, HeldModule>
  readonly #clock: () => number
  readonly #pending = new Map<string, Promise<WebAssembly.Module>>()
  #hits = 0
  #misses = 0
  #evictions = 0

  /** @throws CompileError INVALID_OPTIONS */
  constructor(options: ModuleCacheOptions = {}) {
    const result = schema.safeParse(options)
    if (!result.success) {
      throw new CompileError(
        'INVALID_OPTIONS',
        `Wrong options of ModuleCache:\n${z.prettifyError(result.error)}`,
        { cause: result.error },
      )
    }
    this.#clock = result.data.clock
    this.#modules = new LRUCache({
      maxSize: result.data.maxBytes,
      maxEntrySize: result.data.maxBytes,
      dispose: (_module, _key, reason) => {
        if (reason === 'evict') this.#evictions++
      },
    })
  }

  /**
   * The module of a WebAssembly binary; concurrent callers of one binary share one compile.
   *
   * @throws CompileError COMPILATION_ERROR when the bytes are not valid WebAssembly
   */
  async getOrCompileModule(bytes: Uint8Array): Promise<WebAssembly.Module> {
    const key = createHash('sha256').update(bytes).digest('hex')
    const held = this.#modules.get(key)
    if (held) {
      held.accessCount++
      held.lastAccessedMs = this.#clock()
    }
    const known = held?.module ?? this.#pending.get(key)
    if (known) {
      this.#hits++
      return known
    }
    this.#misses++
    const compiled = compileModule(bytes)
      .then((module) => {
        // clearCache() may have come meanwhile.
        if (this.#pending.get(key) === compiled) {
          const held = { module, accessCount: 1, lastAccessedMs: this.#clock() }
          this.#modules.set(key, held, { size: bytes.byteLength })
        }
        return module
      })
      .finally(() => {
        if (this.#pending.get(key) === compiled) this.#pending.delete(key)
      })
    this.#pending.set(key, compiled)
    return compiled
  }

  /** Forget every module. */
  clearCache(): void {
    this.#modules.clear()
    this.#pending.clear()
  }

  /** What is held, the module used last first. */
  listEntries(): ModuleEntry[] {
    return Array.from(this.#modules.dump().reverse(), ([key, { value, size = 0 }]) => {
      const { accessCount, lastAccessedMs } = value
      return { key, bytes: size, accessCount, lastAccessedMs }
    })
  }

  /** What the cache holds and did, and its limit. */
  cacheStats(): ModuleCacheStats {
    const lookups = this.#hits + this.#misses
    return {
      size: this.#modules.size,
      keys: [...this.#modules.keys()],
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      bytes: this.#modules.calculatedSize,
      maxBytes: this.#modules.maxSize,
      hitRate: lookups === 0 ? 0 : this.#hits / lookups,
    }
  }
}

async function compileModule(bytes: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)
  } catch (error) {
    throw new CompileError(
      'COMPILATION_ERROR',
      `Expected a WebAssembly binary (${bytes.byteLength} bytes): ${describeThrown(error).message}`,
      { cause: error },
    )
  }
}
