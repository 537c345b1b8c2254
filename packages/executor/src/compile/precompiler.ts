import { extname, resolve } from 'node:path'
import {
  type CompiledHandler,
  CompileError,
  type HandlerCompiler,
  type ModuleCache,
} from '@nexus/compile-cache'
import { ExecutorError } from '../errors.js'
import { checkKeys } from '../known-keys.js'
import { codeOfCompileError } from '../result/error-report.js'
import { compileWasi, type WasiHandler, type WasiOptions } from '../wasi/wasi-handler.js'
import type { FileOptions, PrecompileOptions } from './file-options.js'
import { type PreparedHandler, preparedOf, preparedOfWasi } from './prepared-handler.js'

/** Longest WebAssembly binary, and longest file given to one. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** What a {@link Precompiler} works with. */
export interface PrecompilerParts {
  compiler: HandlerCompiler
  modules: ModuleCache
  /** Hears what getting the code of a function took. */
  record: (functionName: string | undefined, handler: CompiledHandler | WasiHandler) => void
  /** Gets a handler ready in a sandbox; rejects when its module fails. */
  load: (handler: PreparedHandler) => Promise<void>
  /** Throws once the runtime is shut down. */
  assertOpen: () => void
}

/** Compiles handlers before they are called, and runs their module once, so that a mistake shows now. */
export class Precompiler {
  readonly #parts: PrecompilerParts

  constructor(parts: PrecompilerParts) {
    this.#parts = parts
  }

  async source(code: string, options: PrecompileOptions = {}): Promise<CompiledHandler> {
    checkKeys('options', options, ['filename', 'functionName'])
    const { functionName, filename } = options
    return this.#module(() => this.#parts.compiler.compile(code, { filename }), code, functionName)
  }

  async file(path: string, options: FileOptions): Promise<CompiledHandler | WasiHandler> {
    checkKeys('options', options, ['root', 'functionName', 'args', 'files'])
    const { root, functionName, ...wasi } = options
    if (extname(path) === '.wasm') {
      return this.wasi(this.read(path, root), resolve(path), wasi, functionName)
    }
    if (wasi.args !== undefined || wasi.files !== undefined) {
      throw new ExecutorError(
        'INVALID_OPTIONS',
        `Expected a .wasm file with WASI options, got ${path}`,
      )
    }
    const compile = () => this.#parts.compiler.compileFile(path, { root })
    return this.#module(compile, undefined, functionName)
  }

  /** The paths that the last build of a file looked at. */
  lookedAt(path: string, root: string | undefined): string[] {
    return this.#parts.compiler.lookedAt(path, { root })
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
    functionName?: string,
  ): Promise<WasiHandler> {
    const handler = await compileWasi(binary, path, options, this.#parts.modules)
    this.#parts.assertOpen()
    this.#parts.record(functionName, handler)
    await this.#parts.load(preparedOfWasi(handler))
    return handler
  }

  async #module(
    compile: () => Promise<CompiledHandler>,
    source: string | undefined,
    functionName: string | undefined,
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
    this.#parts.record(functionName, compiled)
    await load({ ...preparedOf(compiled), source })
    return compiled
  }
}
