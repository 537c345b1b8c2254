import { extname, resolve } from 'node:path'
import type { HandlerCompilerStats } from '@nexus/compile-cache'
import {
  type CompiledHandler,
  CompileError,
  HandlerCompiler,
  ModuleCache,
  type ModuleCacheStats,
} from '@nexus/compile-cache'
import { MetricsCollector } from '@nexus/metrics'
import { type CallOutcome, type CallRequest, emptyOutcome } from './call/call.js'
import { type Callable, callableOf, callableOfAny, callableOfWasi } from './call/callable.js'
import { codeOfCompileError, describeCompileError, describeFailure } from './call/error-report.js'
import type { ExecutionError, ExecutionResult } from './call/execution-result.js'
import { callRequest, eventJsonOf, type HandlerContext } from './call/handler-context.js'
import { resultOfFailedCompile, safeResultOf } from './call/outcome-result.js'
import { redactor } from './call/redactor.js'
import type { SandboxLimits } from './call/sandbox-engine.js'
import type { Dispatcher, DispatcherStats } from './dispatcher.js'
import { ExecutorError } from './errors.js'
import { observeRuntime } from './figures/observe-runtime.js'
import { type ExtensionMethods, Extensions } from './host/extensions.js'
import { type AroundHostCall, guestServices } from './host/guest-services.js'
import { TurnBudget } from './host/turn-budget.js'
import { InlineDispatcher } from './inline-dispatcher.js'
import { Fetcher } from './net/fetcher.js'
import {
  type CallOptions,
  type ResolvedRuntimeOptions,
  resolveCallOptions,
  resolveRuntimeOptions,
  type WasmRuntimeOptions,
} from './options.js'
import type { ThreadProfile } from './threads/profiled-threads.js'
import { ThreadPool } from './threads/thread-pool.js'
import { compileWasi, type WasiHandler, type WasiOptions } from './wasi/wasi-handler.js'

export interface WasmRuntimeStats extends DispatcherStats {
  /** Calls finished since the start, and how many of them failed. */
  executions: { total: number; failed: number }
  compiler: HandlerCompilerStats
  /** Of WASI commands. */
  modules: ModuleCacheStats
  limits: Omit<ResolvedRuntimeOptions, 'compiler' | 'metrics' | 'resolveHost'>
}

/** How to compile a file: its import root, and what a `.wasm` command is given. */
export interface FileOptions extends WasiOptions {
  /**
   * Directory whose files the handler may import.
   * @default the directory of the file
   */
  root?: string | undefined
}

const ANONYMOUS = '(anonymous)'

/** Longest WebAssembly binary, and longest file given to one. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

/**
 * Runs handlers that somebody else may have written, each call in a sandbox that starts pristine.
 *
 * @example
 * ```ts
 * const runtime = new WasmRuntime()
 * const result = await runtime.executeHandler('export default (event) => event.n * 2', { event: { n: 21 } })
 * console.log(result.value) // 42
 * await runtime.shutdown()
 * ```
 */
export class WasmRuntime {
  #options: ResolvedRuntimeOptions
  readonly #compiler: HandlerCompiler
  readonly #ownsCompiler: boolean
  readonly #metrics: MetricsCollector
  readonly #detachMetrics: () => void
  readonly #dispatcher: Dispatcher
  readonly #extensions = new Extensions()
  readonly #fetcher: Fetcher
  readonly #openCalls = new Map<number, AroundHostCall | undefined>()
  readonly #turns = new TurnBudget()
  readonly #modules = new ModuleCache()
  #lastCallId = 0
  #total = 0
  #failed = 0
  #closed: Promise<void> | undefined

  /** @throws {@link ExecutorError} `INVALID_OPTIONS` */
  constructor(options: WasmRuntimeOptions = {}) {
    this.#options = resolveRuntimeOptions(options)
    const { compiler, metrics, cacheDir, maxCacheSizeBytes, threads, maxQueue } = this.#options
    this.#ownsCompiler = compiler === undefined
    this.#compiler = compiler ?? new HandlerCompiler({ cacheDir, maxCacheSizeBytes })
    this.#metrics = metrics ?? new MetricsCollector()
    const { maxStackBytes, maxInstances, maxHandlerBytes, hardTimeoutGraceMs } = this.#options
    const engine = { maxStackBytes, maxInstances, maxHandlerBytes }
    this.#fetcher = new Fetcher(this.#options.resolveHost)
    const services = guestServices(this.#extensions, this.#fetcher, this.#openCalls, this.#turns)
    this.#dispatcher =
      threads === 0
        ? new InlineDispatcher(engine, services)
        : new ThreadPool({ threads, maxQueue, thread: { engine, hardTimeoutGraceMs } }, services)
    this.#detachMetrics = observeRuntime(this.#metrics.registry, {
      threads,
      dispatcher: () => this.#dispatcher.getStats(),
      compiler: () => this.#compiler.getStats(),
    })
  }

  /**
   * Gives guests functions of the host, for `ctx.call(name, method, …args)`. A guest needs the
   * capability `ext:<name>`.
   *
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the name is taken or not a name
   */
  extend<Inputs>(name: string, methods: ExtensionMethods<Inputs>): this {
    this.#extensions.register(name, methods)
    return this
  }

  /**
   * Compiles a handler, or finds it compiled, and calls it.
   *
   * @param code an ES module without imports whose default export is the handler
   * @param options the time limit in milliseconds, or all limits of this call
   * @returns what it came to; errors of the handler are in the result, never thrown
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the arguments are wrong, `SHUT_DOWN`
   */
  async executeHandler<Value = unknown>(
    code: string,
    context: HandlerContext,
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    this.#assertOpen()
    let compiled: CompiledHandler
    try {
      compiled = await this.#compiler.compile(code)
    } catch (error) {
      this.#assertOpen()
      if (!(error instanceof CompileError)) throw error
      const result = resultOfFailedCompile<Value>(describeCompileError(error))
      this.#record(context, result)
      return result
    }
    this.#assertOpen()
    return this.#execute({ ...callableOf(compiled), source: code }, context, options)
  }

  /**
   * Calls a compiled handler.
   *
   * @param handler what `precompileHandler`, `precompileFile` or `precompileWasi` gave, or bytecode of
   *   a `HandlerCompiler`. Bytecode is trusted: never pass what somebody else could have changed.
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the arguments are wrong, `SHUT_DOWN`
   */
  async executeCompiledHandler<Value = unknown>(
    handler: CompiledHandler | WasiHandler | Uint8Array,
    context: HandlerContext,
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    this.#assertOpen()
    return this.#execute(callableOfAny(handler), context, options)
  }

  /**
   * Compiles a handler and runs its module once, so that a mistake shows now.
   *
   * @throws {@link ExecutorError} `COMPILATION_ERROR`, `INVALID_HANDLER`, or why the module failed
   */
  precompileHandler(code: string, options?: { filename?: string }): Promise<CompiledHandler> {
    return this.#precompile(() => this.#compiler.compile(code, options), code)
  }

  /**
   * Compiles a file. JavaScript and TypeScript is bundled with all its imports, and its module runs once;
   * a `.wasm` file is a WASI command, see {@link precompileWasi}.
   *
   * @param options `root`, the directory whose files the handler may import, by default that of the file; `args` and
   *   `files` of a `.wasm` file
   * @throws {@link ExecutorError} `COMPILATION_ERROR` also when a file may not be read, `INVALID_HANDLER`, or why the
   *   module failed
   */
  async precompileFile(
    path: string,
    options: FileOptions = {},
  ): Promise<CompiledHandler | WasiHandler> {
    const { root, ...wasi } = options
    if (extname(path) === '.wasm') {
      const binary = await this.readFile(path, root)
      return this.#precompileWasi(binary, resolve(path), wasi)
    }
    if (wasi.args !== undefined || wasi.files !== undefined) {
      throw new ExecutorError(
        'INVALID_OPTIONS',
        `Expected a .wasm file with WASI options, got ${path}`,
      )
    }
    return this.#precompile(() => this.#compiler.compileFile(path, { root }), undefined)
  }

  /**
   * Reads a file for a function by the rules that hold for its imports, such as one for a WASI command.
   *
   * @param root the directory that it must lie in, by default its own
   * @throws {@link ExecutorError} `COMPILATION_ERROR` when it may not be read, `RESOURCE_LIMIT` above 64 MiB
   */
  async readFile(path: string, root?: string): Promise<Uint8Array> {
    try {
      return this.#compiler.readFile(path, { root, maxBytes: MAX_FILE_BYTES })
    } catch (cause) {
      if (!(cause instanceof CompileError)) throw cause
      throw new ExecutorError(codeOfCompileError(cause), cause.message, { cause })
    }
  }

  /**
   * Checks and compiles a WASI preview 1 command: the event arrives on stdin as JSON, what it writes to
   * stdout as JSON is the result, lines on stderr are the log.
   *
   * @param binary the bytes of the module
   * @throws {@link ExecutorError} `COMPILATION_ERROR` when it is not WebAssembly, `INVALID_HANDLER` when it is
   *   not a command, `MEMORY_LIMIT` when the runtime's limit is too low for it to start
   */
  precompileWasi(binary: Uint8Array, options?: WasiOptions): Promise<WasiHandler> {
    return this.#precompileWasi(binary, undefined, options)
  }

  /**
   * Changes limits of every thread while it runs; calls under way are not touched.
   *
   * @param limits `maxInstances` and `maxHandlerBytes` of {@link WasmRuntimeOptions}; one left out stays
   * @throws {@link ExecutorError} `INVALID_OPTIONS`, `SHUT_DOWN`
   */
  resize(limits: Partial<SandboxLimits>): void {
    this.#assertOpen()
    this.#options = resolveRuntimeOptions({ ...this.#options, ...limits })
    const { maxInstances, maxHandlerBytes } = this.#options
    this.#dispatcher.resize({ maxInstances, maxHandlerBytes })
  }

  /**
   * Samples what the worker threads do, until {@link stopThreadProfiles}; nothing happens while that is under way.
   * Guest code shows as what the engine does for it. The calling thread is not among them.
   *
   * @param samplingIntervalUs time between two samples, in microseconds
   */
  startThreadProfiles(samplingIntervalUs = 5_000): void {
    this.#assertOpen()
    this.#dispatcher.startProfile(samplingIntervalUs)
  }

  /**
   * Ends the profiles, one for each thread.
   *
   * @param patienceMs how long to wait for threads that are busy; theirs are left out then, like those of threads
   *   that were ended meanwhile
   */
  stopThreadProfiles(patienceMs = 2_000): Promise<ThreadProfile[]> {
    return this.#dispatcher.stopProfile(patienceMs)
  }

  getStats(): WasmRuntimeStats {
    const {
      compiler: _compiler,
      metrics: _metrics,
      resolveHost: _resolveHost,
      ...limits
    } = this.#options
    return {
      ...this.#dispatcher.getStats(),
      executions: { total: this.#total, failed: this.#failed },
      compiler: this.#compiler.getStats(),
      modules: this.#modules.cacheStats(),
      limits,
    }
  }

  /** The figures of this runtime as Prometheus text. */
  getPrometheusMetrics(): string {
    return this.#metrics.toPrometheus()
  }

  /**
   * Refuses new calls, lets those under way finish, and ends the threads.
   *
   * @param options.drainTimeoutMs after which calls that have not ended fail as retryable; by default each call's own
   *   time limit is what bounds the wait
   */
  shutdown({ drainTimeoutMs = Number.POSITIVE_INFINITY } = {}): Promise<void> {
    this.#closed ??= this.#shutdown(drainTimeoutMs)
    return this.#closed
  }

  async #shutdown(drainTimeoutMs: number): Promise<void> {
    await this.#dispatcher.shutdown(drainTimeoutMs)
    await this.#fetcher.close()
    this.#detachMetrics()
    if (this.#ownsCompiler) await this.#compiler.close()
  }

  #assertOpen(): void {
    if (this.#closed) throw new ExecutorError('SHUT_DOWN', 'The runtime is shut down')
  }

  async #precompile(
    compile: () => Promise<CompiledHandler>,
    source: string | undefined,
  ): Promise<CompiledHandler> {
    this.#assertOpen()
    let compiled: CompiledHandler
    try {
      compiled = await compile()
    } catch (cause) {
      this.#assertOpen()
      if (!(cause instanceof CompileError)) throw cause
      const { message, location } = cause
      throw new ExecutorError(codeOfCompileError(cause), message, { cause, location })
    }
    await this.#load({ ...callableOf(compiled), source })
    return compiled
  }

  async #precompileWasi(
    binary: Uint8Array,
    path: string | undefined,
    options: WasiOptions = {},
  ): Promise<WasiHandler> {
    const handler = await compileWasi(binary, path, options, this.#modules)
    await this.#load(callableOfWasi(handler))
    return handler
  }

  /** Gets a handler ready on a thread, so that a mistake shows now. */
  async #load(callable: Callable): Promise<void> {
    this.#assertOpen()
    const { failure } = await this.#dispatcher.submit(
      callRequest(++this.#lastCallId, callable.key, undefined, { event: undefined }, this.#options),
      callable.code,
    )
    if (failure)
      throw loadError(describeFailure(failure, callable, redactor(undefined)), callable.filename)
  }

  async #execute<Value>(
    callable: Callable,
    context: HandlerContext,
    given: number | CallOptions | undefined,
  ): Promise<ExecutionResult<Value>> {
    const options = resolveCallOptions(given, this.#options)
    const id = ++this.#lastCallId
    const event = eventJsonOf(context)
    const outcome =
      'failure' in event
        ? emptyOutcome(event.failure)
        : await this.#submit(
            callable,
            callRequest(id, callable.key, event.json, context, options),
            context.aroundHostCall,
          )
    const turn = this.#turns.take(id, outcome.steps)
    if (turn) await turn
    const result = safeResultOf<Value>(callable, outcome, options, context.secrets)
    this.#record(context, result)
    return result
  }

  async #submit(
    { code }: Callable,
    request: CallRequest,
    aroundHostCall: AroundHostCall | undefined,
  ): Promise<CallOutcome> {
    this.#openCalls.set(request.id, aroundHostCall)
    try {
      return await this.#dispatcher.submit(request, code)
    } finally {
      this.#openCalls.delete(request.id)
      this.#fetcher.callOver(request.id)
    }
  }

  #record(
    { functionName, traceId }: HandlerContext,
    { status, error, metrics }: ExecutionResult,
  ): void {
    this.#total++
    if (error) this.#failed++
    this.#metrics.recordExecution(
      {
        functionName: functionName ?? ANONYMOUS,
        status,
        cacheTier: metrics.cacheTier,
        durationUs: metrics.durationUs,
        queueWaitUs: metrics.queueWaitUs,
        memoryUsedBytes: metrics.memoryUsedBytes,
        hostCalls: metrics.hostCalls,
        ...(metrics.compileTimeUs > 0 && { compileTimeUs: metrics.compileTimeUs }),
        ...(error && { errorCode: error.code }),
        ...(traceId !== undefined && { traceId }),
      },
      !error,
    )
  }
}

function loadError(error: ExecutionError, filename: string): ExecutorError {
  const { location, sourceLines } = error
  const place = location ? `${location.file}:${location.line}:${location.column}` : filename
  const lines = sourceLines ? `\n\n${sourceLines}` : ''
  return new ExecutorError(error.code, `${place}: ${error.name}: ${error.message}${lines}`, {
    location,
  })
}
