import { CompileError, type SourceLocation } from '../errors.js'
import type { ResolvedCompilerOptions } from '../options.js'
import { TaskEnded, TaskThread } from '../task-thread.js'
import { COMPILE_WORKER_URL } from '../worker-url.js'
import { authoredPlace, type MadeCode } from './authored-place.js'
import { describeAt } from './code-frame.js'
import type { EngineFault, EngineResult } from './compile-machine.js'
import type { CompileTask, CompileThreadData } from './compile-worker.js'
import { CompileEngine, loadEngineModule } from './engine.js'

/** Stack for nested source: on the calling thread the host's own stack is the smaller one. */
const MAIN_STACK_BYTES = 256 * 1024
const WORKER_STACK_BYTES = 512 * 1024

/** JavaScript to compile, and how errors in it are told. */
export interface SourceText extends MadeCode {
  /** Whether imports were resolved before, so that one which is left cannot be. */
  bundled?: boolean
}

/** Compiles on this thread what is short, and on a worker thread what would hold it up. */
export class SourceCompiler {
  readonly #options: ResolvedCompilerOptions
  readonly #engine: CompileEngine
  readonly #thread: TaskThread<CompileTask>
  #onThread = 0
  #onWorker = 0

  constructor(options: ResolvedCompilerOptions) {
    const memoryLimitBytes = options.compileMemoryLimitBytes
    this.#options = options
    this.#engine = new CompileEngine({ memoryLimitBytes, maxStackBytes: MAIN_STACK_BYTES })
    const limits = { memoryLimitBytes, maxStackBytes: WORKER_STACK_BYTES }
    this.#thread = new TaskThread({
      url: COMPILE_WORKER_URL,
      name: 'nexus-compile',
      timeoutMs: options.compileTimeoutMs,
      workerData: async (): Promise<CompileThreadData> => ({
        wasm: await loadEngineModule(),
        limits,
      }),
    })
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
    throw toCompileError(result.fault, text, await this.#placeOf(result.fault, text))
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

  async #run(text: SourceText): Promise<EngineResult> {
    const { code, filename } = text
    if (!this.#isLong(text)) {
      this.#onThread++
      return this.#engine.compile(code, filename)
    }
    this.#onWorker++
    return this.#thread
      .run<EngineResult>({ source: code, filename })
      .catch((error: unknown): EngineResult => {
        if (!(error instanceof TaskEnded)) throw error
        return { fault: { kind: 'limit', message: error.message } }
      })
  }

  async #placeOf({ offset }: EngineFault, text: SourceText): Promise<SourceLocation | undefined> {
    if (offset === undefined) return undefined
    if (!this.#isLong(text)) return authoredPlace(text, offset)
    return this.#thread.run<SourceLocation>({ text, offset }).catch((error: unknown) => {
      if (!(error instanceof TaskEnded)) throw error
      return undefined
    })
  }

  #isLong({ code }: MadeCode): boolean {
    return code.length > this.#options.offloadLength
  }
}

function toCompileError(
  fault: EngineFault,
  text: SourceText,
  location: SourceLocation | undefined,
): CompileError {
  if (fault.kind === 'limit') {
    return new CompileError(
      'RESOURCE_LIMIT',
      `Cannot compile ${text.filename}: ${fault.message}. The source is nested too deeply or needs too much memory or time to compile.`,
    )
  }
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
