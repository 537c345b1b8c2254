import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { CompileError } from './errors.js'
import { reasonOf } from './thrown-reason.js'

/** Options of a `ModuleCache`. */
export interface ModuleCacheOptions {
  /**
   * Bytes of WebAssembly whose compiled modules are kept; machine code takes a few times as much.
   * @default 64 MiB
   */
  maxBytes?: number | undefined
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
}

const schema = z.strictObject({
  maxBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024),
}) satisfies z.ZodType<{ maxBytes: number }, ModuleCacheOptions>

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
  readonly #modules: LRUCache<string, WebAssembly.Module>
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
    const known = this.#modules.get(key) ?? this.#pending.get(key)
    if (known) {
      this.#hits++
      return known
    }
    this.#misses++
    const compiled = compileModule(bytes)
      .then((module) => {
        // clearCache() may have come meanwhile.
        if (this.#pending.get(key) === compiled) {
          this.#modules.set(key, module, { size: bytes.byteLength })
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

  /** What the cache holds and did, and its limit. */
  cacheStats(): ModuleCacheStats {
    return {
      size: this.#modules.size,
      keys: [...this.#modules.keys()],
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      bytes: this.#modules.calculatedSize,
      maxBytes: this.#modules.maxSize,
    }
  }
}

async function compileModule(bytes: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)
  } catch (error) {
    throw new CompileError(
      'COMPILATION_ERROR',
      `Expected a WebAssembly binary (${bytes.byteLength} bytes): ${reasonOf(error)}`,
      { cause: error },
    )
  }
}
