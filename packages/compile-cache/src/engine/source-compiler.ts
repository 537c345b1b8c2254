import { SourceMap } from 'node:module'
import { CompileError, type SourceLocation } from '../errors.js'
import type { ResolvedCompilerOptions } from '../options.js'
import { describeAt, locate, locateOffset } from './code-frame.js'
import type { EngineFault, EngineResult } from './compile-machine.js'
import { CompileThread } from './compile-thread.js'
import { CompileEngine } from './engine.js'

/** Stack for nested source: on the calling thread the host's own stack is the smaller one. */
const MAIN_STACK_BYTES = 256 * 1024
const WORKER_STACK_BYTES = 512 * 1024

/** JavaScript to compile, and how errors in it are told. */
export interface SourceText {
  code: string
  filename: string
  /** JSON of the source map from `code` to what the author wrote. */
  sourceMap?: string | undefined
  /** Whether imports were resolved before, so that one which is left cannot be. */
  bundled?: boolean
}

/** Compiles on this thread what is short, and on a worker thread what would hold it up. */
export class SourceCompiler {
  readonly #options: ResolvedCompilerOptions
  readonly #engine: CompileEngine
  readonly #thread: CompileThread
  #onThread = 0
  #onWorker = 0

  constructor(options: ResolvedCompilerOptions) {
    const memoryLimitBytes = options.compileMemoryLimitBytes
    this.#options = options
    this.#engine = new CompileEngine({ memoryLimitBytes, maxStackBytes: MAIN_STACK_BYTES })
    this.#thread = new CompileThread(
      { memoryLimitBytes, maxStackBytes: WORKER_STACK_BYTES },
      options.compileTimeoutMs,
    )
  }

  /** Compiles done on the calling thread. */
  get inlineCompiles(): number {
    return this.#onThread
  }

  /** Compiles done on the worker thread. */
  get workerCompiles(): number {
    return this.#onWorker
  }

  /**
   * Compile one ES module without imports.
   *
   * @throws CompileError
   */
  async compile(text: SourceText): Promise<Uint8Array> {
    this.assertLength(text.code, text.filename)
    const result = await this.#run(text)
    if ('bytecode' in result) return result.bytecode
    throw toCompileError(result.fault, text)
  }

  /** @throws CompileError when a source is longer than `maxSourceLength` */
  assertLength(source: string, filename: string): void {
    const { maxSourceLength } = this.#options
    if (source.length <= maxSourceLength) return
    throw new CompileError(
      'RESOURCE_LIMIT',
      `Cannot compile ${filename}: expected at most ${maxSourceLength} characters, got ${source.length}. Split it, or raise maxSourceLength.`,
    )
  }

  /** End the worker thread. */
  async close(): Promise<void> {
    await this.#thread.close()
  }

  async #run({ code, filename }: SourceText): Promise<EngineResult> {
    if (code.length > this.#options.offloadLength) {
      this.#onWorker++
      return this.#thread.compile({ source: code, filename })
    }
    this.#onThread++
    return this.#engine.compile(code, filename)
  }
}

function toCompileError(fault: EngineFault, text: SourceText): CompileError {
  if (fault.kind === 'limit') {
    return new CompileError(
      'RESOURCE_LIMIT',
      `Cannot compile ${text.filename}: ${fault.message}. The source is nested too deeply or needs too much memory or time to compile.`,
    )
  }
  const location = fault.offset === undefined ? undefined : authored(text, fault.offset)
  const advice = text.bundled
    ? '; only files and npm packages can be bundled'
    : '; compile(source) does not bundle, use compileFile(path)'
  const message = fault.kind === 'import' ? fault.message + advice : fault.message
  return new CompileError(
    'COMPILATION_ERROR',
    location ? describeAt(location, message) : `${text.filename}: ${message}`,
    { location },
  )
}

/** The place in what the author wrote, going back through the source map. */
function authored({ code, filename, sourceMap }: SourceText, offset: number): SourceLocation {
  const location = locateOffset(code, filename, offset)
  if (sourceMap === undefined) return location
  const payload = JSON.parse(sourceMap)
  const entry = new SourceMap(payload).findEntry(location.line - 1, location.column - 1)
  if (!('originalSource' in entry)) return location
  const { originalSource, originalLine, originalColumn } = entry
  const content: unknown = payload.sourcesContent?.[payload.sources.indexOf(originalSource)]
  return locate(
    typeof content === 'string' ? content : '',
    originalSource,
    originalLine + 1,
    originalColumn + 1,
  )
}
