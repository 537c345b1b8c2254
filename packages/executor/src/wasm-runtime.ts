import {
  type CompiledHandler,
  CompileError,
  HandlerCompiler,
  type HandlerCompilerStats,
  type ModuleCacheStats,
} from '@nexus/compile-cache'
import { MetricsCollector } from '@nexus/metrics'
import { CallRunner } from './call/call-runner.js'
import { checkContext, type HandlerContext } from './call/handler-context.js'
import type { SandboxLimits } from './call/sandbox-engine.js'
import type { FileOptions } from './compile/file-options.js'
import { Precompiler } from './compile/precompiler.js'
import { preparedOf, preparedOfAny } from './compile/prepared-handler.js'
import type { Dispatcher, DispatcherStats, GuestServices } from './dispatcher.js'
import { ExecutorError } from './errors.js'
import { observeRuntime } from './figures/observe-runtime.js'
import { type AroundHostCall, guestServices } from './host/guest-services.js'
import { HostFunctions, type HostMethods } from './host/host-functions.js'
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
import { describeCompileError } from './result/error-report.js'
import type { ExecutionResult } from './result/execution-result.js'
import type { ThreadProfile } from './threads/profiling/profiled-threads.js'
import { ThreadPool } from './threads/thread-pool.js'
import type { WasiHandler, WasiOptions } from './wasi/wasi-handler.js'

/** Figures of a {@link WasmRuntime}; totals count from its start. */
export interface WasmRuntimeStats extends DispatcherStats {
  /** Calls that ended, and how many of them failed. */
  executions: { total: number; failed: number }
  /** What the compiler and its cache did. */
  compiler: HandlerCompilerStats
  /** The cache of the WebAssembly modules of WASI commands. */
  modules: ModuleCacheStats
  /** The options of the runtime, with every default filled in. */
  limits: Omit<ResolvedRuntimeOptions, 'compiler' | 'metrics' | 'resolveHost'>
}

/**
 * Runs handlers that you did not write and do not trust, each call in a sandbox that starts pristine.
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
  readonly #hostFunctions = new HostFunctions()
  readonly #fetcher: Fetcher
  readonly #calls: CallRunner
  readonly #precompiler: Precompiler
  #closed: Promise<void> | undefined

  /** @throws {@link ExecutorError} `INVALID_OPTIONS` */
  constructor(options: WasmRuntimeOptions = {}) {
    this.#options = resolveRuntimeOptions(options)
    const { compiler, metrics, cacheDir, maxCacheSizeBytes, threads } = this.#options
    this.#ownsCompiler = compiler === undefined
    this.#compiler = compiler ?? new HandlerCompiler({ cacheDir, maxCacheSizeBytes })
    this.#metrics = metrics ?? new MetricsCollector()
    this.#fetcher = new Fetcher(this.#options.resolveHost)
    const turns = new TurnBudget()
    const openCalls = new Map<number, AroundHostCall | undefined>()
    this.#dispatcher = dispatcherFor(
      this.#options,
      guestServices(this.#hostFunctions, this.#fetcher, openCalls, turns),
    )
    this.#calls = new CallRunner({
      dispatcher: this.#dispatcher,
      openCalls,
      fetcher: this.#fetcher,
      turns,
      metrics: this.#metrics,
    })
    this.#precompiler = new Precompiler({
      compiler: this.#compiler,
      load: (handler) => this.#calls.load(handler, this.#options),
      assertOpen: () => this.#assertOpen(),
    })
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
   * @example
   * ```ts
   * runtime.extend('stock', { left: (sku: string) => warehouse.count(sku) })
   * await runtime.executeHandler(`export default (event, ctx) => ctx.call('stock', 'left', event.sku)`, {
   *   event: { sku: 'A-1' },
   *   capabilities: ['ext:stock'],
   * })
   * ```
   *
   * @param name letters, digits, `-` and `_`
   * @param methods by the name that guests use
   * @returns the runtime itself
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the name is taken or not a name
   */
  extend<Inputs>(name: string, methods: HostMethods<Inputs>): this {
    this.#hostFunctions.register(name, methods)
    return this
  }

  /**
   * Compiles a handler, or finds it compiled, and calls it.
   *
   * @param code an ES module without imports whose default export is the handler
   * @param context the event, and what the handler may do
   * @param options the time limit in milliseconds, or all limits of this call
   * @returns how the call ended; errors of the handler are in the result, never thrown
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the arguments are wrong, `SHUT_DOWN`
   */
  async executeHandler<Value = unknown>(
    code: string,
    context: HandlerContext,
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    this.#assertOpen()
    checkContext(context)
    let compiled: CompiledHandler
    try {
      compiled = await this.#compiler.compile(code)
    } catch (error) {
      this.#assertOpen()
      if (!(error instanceof CompileError)) throw error
      return this.#calls.failedToCompile(context, describeCompileError(error))
    }
    this.#assertOpen()
    const limits = resolveCallOptions(options, this.#options)
    return this.#calls.run({ ...preparedOf(compiled), source: code }, context, limits)
  }

  /**
   * Calls a compiled handler.
   *
   * @param handler what `precompileHandler`, `precompileFile` or `precompileWasi` gave, or bytecode of a
   *   `HandlerCompiler`. Bytecode is trusted: never pass what others could have changed.
   * @param context the event, and what the handler may do
   * @param options the time limit in milliseconds, or all limits of this call
   * @returns how the call ended; errors of the handler are in the result, never thrown
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the arguments are wrong, `SHUT_DOWN`
   */
  async executeCompiledHandler<Value = unknown>(
    handler: CompiledHandler | WasiHandler | Uint8Array,
    context: HandlerContext,
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    this.#assertOpen()
    checkContext(context)
    const limits = resolveCallOptions(options, this.#options)
    return this.#calls.run(preparedOfAny(handler), context, limits)
  }

  /**
   * Compiles a handler and runs its module once, so that a mistake shows now.
   *
   * @param code an ES module without imports whose default export is the handler
   * @param options `filename`, under which errors name it; by default `handler.js`
   * @throws {@link ExecutorError} `COMPILATION_ERROR`, `INVALID_HANDLER`, or why the module failed; `SHUT_DOWN`
   */
  precompileHandler(code: string, options?: { filename?: string }): Promise<CompiledHandler> {
    return this.#precompiler.source(code, options)
  }

  /**
   * Compiles a file. JavaScript and TypeScript is bundled with all its imports, and its module runs once;
   * a `.wasm` file is a WASI command, see {@link precompileWasi}.
   *
   * @param options `root`, the directory whose files the handler may import, by default that of the file; `args` and
   *   `files` of a `.wasm` file
   * @throws {@link ExecutorError} `COMPILATION_ERROR` also when a file may not be read, `INVALID_HANDLER`, or why the
   *   module failed; `SHUT_DOWN`
   */
  precompileFile(path: string, options: FileOptions = {}): Promise<CompiledHandler | WasiHandler> {
    return this.#precompiler.file(path, options)
  }

  /**
   * Reads a file for a function by the rules that hold for its imports, such as one for a WASI command.
   *
   * @param root the directory that it must lie in, by default its own
   * @throws {@link ExecutorError} `COMPILATION_ERROR` when it may not be read, `RESOURCE_LIMIT` above 64 MiB
   */
  async readFile(path: string, root?: string): Promise<Uint8Array> {
    return this.#precompiler.read(path, root)
  }

  /**
   * Checks and compiles a WASI preview 1 command: the event arrives on stdin as JSON, what it writes to
   * stdout as JSON is the result, lines on stderr are the log.
   *
   * @param binary the bytes of the module
   * @param options its arguments and files
   * @throws {@link ExecutorError} `COMPILATION_ERROR` when it is not WebAssembly, `INVALID_HANDLER` when it is
   *   not a command, `MEMORY_LIMIT` when the runtime's limit is too low for it to start, `SHUT_DOWN`
   */
  precompileWasi(binary: Uint8Array, options?: WasiOptions): Promise<WasiHandler> {
    return this.#precompiler.wasi(binary, undefined, options)
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
   * @throws {@link ExecutorError} `SHUT_DOWN`
   */
  startThreadProfiles(samplingIntervalUs = 5_000): void {
    this.#assertOpen()
    this.#dispatcher.startProfile(samplingIntervalUs)
  }

  /**
   * Ends the profiles, one for each thread.
   *
   * @param patienceMs how long to wait for threads that are busy, in milliseconds; theirs are left out then, like those
   *   of threads that ended meanwhile
   */
  stopThreadProfiles(patienceMs = 2_000): Promise<ThreadProfile[]> {
    return this.#dispatcher.stopProfile(patienceMs)
  }

  /** Counts and limits of the runtime, read now. */
  getStats(): WasmRuntimeStats {
    const { compiler: _1, metrics: _2, resolveHost: _3, ...limits } = this.#options
    return {
      ...this.#dispatcher.getStats(),
      executions: this.#calls.executions,
      compiler: this.#compiler.getStats(),
      modules: this.#precompiler.moduleStats(),
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
   * @param options.drainTimeoutMs milliseconds after which calls that have not ended fail as retryable; by default each
   *   call's own time limit is what bounds the wait
   */
  shutdown({ drainTimeoutMs = Number.POSITIVE_INFINITY } = {}): Promise<void> {
    this.#closed ??= this.#shutdown(drainTimeoutMs)
    return this.#closed
  }

  /** See {@link shutdown}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
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
}

function dispatcherFor(options: ResolvedRuntimeOptions, services: GuestServices): Dispatcher {
  const { threads, maxQueue, hardTimeoutGraceMs } = options
  const { maxStackBytes, maxInstances, maxHandlerBytes } = options
  const engine = { maxStackBytes, maxInstances, maxHandlerBytes }
  if (threads === 0) return new InlineDispatcher(engine, services)
  return new ThreadPool({ threads, maxQueue, thread: { engine, hardTimeoutGraceMs } }, services)
}
