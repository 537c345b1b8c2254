import { extname, resolve } from 'node:path'
import {
  type CompiledHandler,
  CompileError,
  type HandlerCompiler,
  ModuleCache,
  type ModuleCacheStats,
} from '@nexus/compile-cache'
import { ExecutorError } from '../errors.js'
import { codeOfCompileError } from '../result/error-report.js'
import { compileWasi, type WasiHandler, type WasiOptions } from '../wasi/wasi-handler.js'
import type { FileOptions } from './file-options.js'
import { type PreparedHandler, preparedOf, preparedOfWasi } from './prepared-handler.js'

/** Longest WebAssembly binary, and longest file given to one. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** What a {@link Precompiler} works with. */
export interface PrecompilerParts {
  compiler: HandlerCompiler
  /** Gets a handler ready in a sandbox; rejects when its module fails. */
  load: (handler: PreparedHandler) => Promise<void>
  /** Throws once the runtime is shut down. */
  assertOpen: () => void
}

/** Compiles handlers before they are called, and runs their module once, so that a mistake shows now. */
export class Precompiler {
  readonly #parts: PrecompilerParts
  readonly #modules = new ModuleCache()

  constructor(parts: PrecompilerParts) {
    this.#parts = parts
  }

  /** The cache of WebAssembly modules. */
  moduleStats(): ModuleCacheStats {
    return this.#modules.cacheStats()
  }

  source(code: string, options: { filename?: string } | undefined): Promise<CompiledHandler> {
    return this.#module(() => this.#parts.compiler.compile(code, options), code)
  }

  async file(path: string, options: FileOptions): Promise<CompiledHandler | WasiHandler> {
    const { root, ...wasi } = options
    if (extname(path) === '.wasm') return this.wasi(this.read(path, root), resolve(path), wasi)
    if (wasi.args !== undefined || wasi.files !== undefined) {
      throw new ExecutorError(
        'INVALID_OPTIONS',
        `Expected a .wasm file with WASI options, got ${path}`,
      )
    }
    return this.#module(() => this.#parts.compiler.compileFile(path, { root }), undefined)
  }

  /** Reads a file by the rules that hold for imports. */
  read(path: string, root: string | undefined): Uint8Array {
    try {
      return this.#parts.compiler.readFile(path, { root, maxBytes: MAX_FILE_BYTES })
    } catch (cause) {
      if (!(cause instanceof CompileError)) throw cause
      throw new ExecutorError(codeOfCompileError(cause), cause.message, { cause })
    }
  }

  async wasi(
    binary: Uint8Array,
    path: string | undefined,
    options: WasiOptions = {},
  ): Promise<WasiHandler> {
    const handler = await compileWasi(binary, path, options, this.#modules)
    this.#parts.assertOpen()
    await this.#parts.load(preparedOfWasi(handler))
    return handler
  }

  async #module(
    compile: () => Promise<CompiledHandler>,
    source: string | undefined,
  ): Promise<CompiledHandler> {
    const { load, assertOpen } = this.#parts
    assertOpen()
    let compiled: CompiledHandler
    try {
      compiled = await compile()
    } catch (cause) {
      // A compiler that was closed fails as well, but that is not why.
      assertOpen()
      if (!(cause instanceof CompileError)) throw cause
      const { message, location } = cause
      throw new ExecutorError(codeOfCompileError(cause), message, { cause, location })
    }
    assertOpen()
    await load({ ...preparedOf(compiled), source })
    return compiled
  }
}
