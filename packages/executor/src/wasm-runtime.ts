import { randomUUID } from 'node:crypto'
import {
  type CompiledHandler,
  CompileError,
  HandlerCompiler,
  type HandlerCompilerStats,
  ModuleCache,
  type ModuleCacheStats,
} from '@nexus/compile-cache'
import { MetricsCollector } from '@nexus/metrics'
import { CallRunner } from './call/call-runner.js'
import { shutdownFailure } from './call/dispatch-failures.js'
import { checkContext, type HandlerContext } from './call/handler-context.js'
import { monotonicMs } from './call/monotonic.js'
import { OpenWork } from './call/open-work.js'
import type { SandboxLimits } from './call/sandbox-engine.js'
import type { FileOptions, PrecompileOptions } from './compile/file-options.js'
import { Precompiler } from './compile/precompiler.js'
import { preparedOf, preparedOfAny } from './compile/prepared-handler.js'
import { RuntimeCache } from './compile/runtime-cache.js'
import { SCRIPT_FILENAME, scriptHandler } from './compile/script-handler.js'
import { type ContextOptions, splitContextOptions } from './context/context-options.js'
import { ScriptContext } from './context/script-context.js'
import type { Dispatcher, DispatcherStats, GuestServices } from './dispatcher.js'
import { drain } from './drain.js'
import { ExecutorError } from './errors.js'
import { observeRuntime } from './figures/observe-runtime.js'
import { SuspensionTimes } from './figures/suspension-times.js'
import { guestServices, type OpenCall } from './host/guest-services.js'
import { HostFunctions, type HostMethods } from './host/host-functions.js'
import { TurnBudget } from './host/turn-budget.js'
import { InlineDispatcher } from './inline-dispatcher.js'
import { threadPoolSlots } from './native/thread-pool-slots.js'
import { Fetcher } from './net/fetcher.js'
import {
  type CallOptions,
  drainTimeoutOf,
  type ResolvedRuntimeOptions,
  resolveCallOptions,
  resolveRuntimeOptions,
  type ShutdownOptions,
  type WasmRuntimeOptions,
} from './options.js'
import { describeCompileError, type HandlerSource } from './result/error-report.js'
import type { ExecutionError, ExecutionResult } from './result/execution-result.js'
import type { ResumeContext } from './suspension/resume-context.js'
import type { ResumeOutcome, Suspension } from './suspension/suspension.js'
import { SuspensionStores } from './suspension/suspension-stores.js'
import type { Suspensions } from './suspension/suspensions.js'
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
  /** Share of the look-ups in both that were answered, 0 to 1; 0 before the first. */
  cacheHitRate: number
  /** The options of the runtime, with every default filled in. */
  limits: Omit<ResolvedRuntimeOptions, 'compiler' | 'metrics' | 'resolveHost' | 'suspensions'>
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
  /** The compiled code that the runtime keeps. */
  readonly cache: RuntimeCache
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
  readonly #suspensions: SuspensionStores
  readonly #accepted = new OpenWork()
  #drained = false
  #closed: Promise<void> | undefined

  /** @throws {@link ExecutorError} `INVALID_OPTIONS` */
  constructor(options: WasmRuntimeOptions = {}) {
    this.#options = resolveRuntimeOptions(options)
    const { compiler, metrics, logger, cacheDir, maxCacheSizeBytes, maxModuleBytes, threads } =
      this.#options
    this.#ownsCompiler = compiler === undefined
    this.#compiler = compiler ?? new HandlerCompiler({ cacheDir, maxCacheSizeBytes, logger })
    const modules = new ModuleCache({ maxBytes: maxModuleBytes })
    this.cache = new RuntimeCache(this.#compiler, modules)
    this.#metrics = metrics ?? new MetricsCollector()
    this.#fetcher = new Fetcher(this.#options.resolveHost)
    this.#suspensions = new SuspensionStores(this.#options.suspensions)
    const suspensionTimes = new SuspensionTimes(this.#metrics.registry)
    const turns = new TurnBudget()
    const openCalls = new Map<number, OpenCall>()
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
      suspensionTimes,
      suspensions: this.#suspensions,
    })
    this.#precompiler = new Precompiler({
      compiler: this.#compiler,
      modules,
      record: (functionName, { cacheTier, compileTimeUs }) =>
        this.#calls.recordCompilation(functionName, cacheTier, compileTimeUs),
      load: (handler) => this.#calls.load(handler, this.#options),
      assertOpen: () => this.#assertOpen(),
    })
    const detach = observeRuntime(this.#metrics.registry, {
      threads,
      dispatcher: () => this.#dispatcher.getStats(),
      cache: () => this.cache.getStats(),
    })
    this.#detachMetrics = () => {
      detach()
      suspensionTimes.remove()
    }
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
    return this.#compileAndRun(code, { source: code }, context, options)
  }

  /**
   * Runs a script, such as an expression of a rule or a formula, in a sandbox of its own.
   *
   * @example
   * ```ts
   * const result = await runtime.evaluate<number>('price * (1 + rate)', { globals: { price: 100, rate: 0.2 } })
   * console.log(result.value) // 120
   * ```
   *
   * @param script JavaScript without imports, exports and `await` outside of functions; runs in sloppy mode, as scripts do
   * @param context what the script may do, and its globals; it has no `event` and no `ctx`
   * @param options the time limit in milliseconds, or all limits of this call
   * @returns as value what the last expression gives, or the promise that it gives resolves to
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the arguments are wrong, `SHUT_DOWN`
   */
  async evaluate<Value = unknown>(
    script: string,
    context: Omit<HandlerContext, 'event' | 'eventJson'> = {},
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    const shown = { filename: SCRIPT_FILENAME, source: script }
    return this.#compileAndRun(scriptHandler(script), shown, context, options)
  }

  /**
   * Opens a context: scripts that share their globals, as in a REPL or the cells of a spreadsheet. Each script has the limits
   * of a call; between two of them the context costs what its image holds, and no sandbox.
   *
   * @example
   * ```ts
   * await using context = runtime.createContext({ globals: { lookup: async (id) => prices.get(id) }, timeoutMs: 200 })
   * await context.evaluate(`let total = await lookup('A-1')`)
   * const { value } = await context.evaluate('total * 2')
   * ```
   *
   * @param options globals, capabilities and the like of all its scripts, and the limits of each
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when an option is wrong, `SHUT_DOWN`
   */
  createContext(options: ContextOptions = {}): ScriptContext {
    this.#assertOpen()
    const { context, limits } = splitContextOptions(options)
    return new ScriptContext({
      key: `context:${randomUUID()}`,
      context,
      limits: resolveCallOptions(limits, this.#options),
      calls: this.#calls,
      accept: (work) => {
        this.#assertOpen()
        return this.#accepted.run(work)
      },
    })
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
   * Goes on with a call that is suspended. Of several that try, in whatever process, one does; what it waits for that is due
   * by now is settled as well. It ends, fails or is suspended again, as a call does. When the handler did not get to run
   * (`POOL_EXHAUSTED`, `INTERNAL_ERROR`), the call can be resumed again.
   *
   * @param suspensionId of a wait: of `result.suspension`, or of one of its `wakes`
   * @param outcome what the wait gives the handler; one that is due already fails with `TIMEOUT`
   * @param context what the call may do from now on (nothing by default), and its env and secrets; of `globals` only the
   *   functions count, which the handler calls as before
   * @param options the time limit in milliseconds, or all limits of this part of the call
   * @throws {@link ExecutorError} `SUSPENSION_NOT_FOUND` also when it was resumed before, `SUSPENSION_BUSY` while another
   *   resumes the call, `SUSPENSION_REFUSED` when its image is damaged or not to be decrypted, `INVALID_OPTIONS`, `SHUT_DOWN`
   */
  async resumeHandler<Value = unknown>(
    suspensionId: string,
    outcome: ResumeOutcome,
    context: ResumeContext = {},
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    checkContext(context)
    const suspensions = this.#openSuspensions(context)
    const limits = resolveCallOptions(options, this.#options)
    return this.#accepted.run(async () => {
      const claimed = await suspensions.claim(suspensionId, outcome, limits.timeoutMs)
      return this.#calls.resume<Value>(suspensions, claimed, context, limits)
    })
  }

  /**
   * Lets a wait of a suspended call fail with an error whose `code` is `CANCELLED`, so that the handler cleans up; see
   * {@link resumeHandler}.
   */
  cancelSuspension<Value = unknown>(
    suspensionId: string,
    context: ResumeContext = {},
    options?: number | CallOptions,
  ): Promise<ExecutionResult<Value>> {
    const error = { name: 'AbortError', message: 'The suspension was cancelled', code: 'CANCELLED' }
    return this.resumeHandler(suspensionId, { success: false, error }, context, options)
  }

  /**
   * A suspended call that still waits for this.
   *
   * @throws {@link ExecutorError} `SUSPENSION_NOT_FOUND`, `SUSPENSION_REFUSED`, `INVALID_OPTIONS` without a store
   */
  async getSuspension(suspensionId: string): Promise<Suspension | undefined> {
    return this.#openSuspensions().get(suspensionId)
  }

  /**
   * All suspended calls in the store, oldest first; each is read and opened.
   *
   * @throws {@link ExecutorError} `SUSPENSION_REFUSED`, `INVALID_OPTIONS` without a store
   */
  async listSuspensions(): Promise<Suspension[]> {
    return this.#openSuspensions().list()
  }

  /**
   * Compiles a handler and runs its module once, so that a mistake shows now.
   *
   * @param code an ES module without imports whose default export is the handler
   * @throws {@link ExecutorError} `COMPILATION_ERROR`, `INVALID_HANDLER`, or why the module failed; `SHUT_DOWN`
   */
  precompileHandler(code: string, options?: PrecompileOptions): Promise<CompiledHandler> {
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
   * The paths that the last build of a file looked at, found or not, failed or not. For those who watch.
   *
   * @param root as given to {@link precompileFile}
   * @returns absolute paths; only that of the file before its first build
   */
  lookedAt(path: string, root?: string): string[] {
    return this.#precompiler.lookedAt(path, root)
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
    const { compiler: _1, metrics: _2, resolveHost: _3, suspensions: _4, ...limits } = this.#options
    const { handlers: compiler, modules, cacheHitRate } = this.cache.getStats()
    return {
      ...this.#dispatcher.getStats(),
      executions: this.#calls.executions,
      compiler,
      modules,
      cacheHitRate,
      limits,
    }
  }

  /** The figures of this runtime as Prometheus text. */
  getPrometheusMetrics(): string {
    return this.#metrics.toPrometheus()
  }

  /**
   * Refuses new calls, lets those that were accepted finish, and ends the threads. An accepted call always has a result.
   *
   * @throws {@link ExecutorError} `INVALID_OPTIONS`
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const drainTimeoutMs = drainTimeoutOf(options)
    this.#closed ??= this.#shutdown(drainTimeoutMs)
    return this.#closed
  }

  /** {@link shutdown}, by the name that other classes have it under. */
  close(options?: ShutdownOptions): Promise<void> {
    return this.shutdown(options)
  }

  /** See {@link shutdown}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  async #shutdown(drainTimeoutMs: number): Promise<void> {
    const drainUntil = monotonicMs() + drainTimeoutMs
    await drain(this.#accepted.done(), drainTimeoutMs)
    this.#drained = true
    await this.#dispatcher.shutdown(Math.max(0, drainUntil - monotonicMs()))
    await this.#fetcher.close()
    this.#detachMetrics()
    if (this.#ownsCompiler) await this.#compiler.close()
  }

  /** @param shown what the errors of the call show instead of the code that is compiled */
  async #compileAndRun<Value>(
    code: string,
    shown: Partial<HandlerSource>,
    context: HandlerContext,
    options: number | CallOptions | undefined,
  ): Promise<ExecutionResult<Value>> {
    this.#assertOpen()
    checkContext(context)
    const limits = resolveCallOptions(options, this.#options)
    return this.#accepted.run(async () => {
      let compiled: CompiledHandler
      try {
        compiled = await this.#compiler.compile(code)
      } catch (error) {
        if (!(error instanceof CompileError)) throw error
        return this.#calls.fail(context, this.#compileFailure(error))
      }
      return this.#calls.run({ ...preparedOf(compiled), ...shown }, context, limits)
    })
  }

  /** A compile that the end of the runtime cut off says nothing of the code. */
  #compileFailure(error: CompileError): ExecutionError {
    if (!this.#drained) return describeCompileError(error)
    const { code, report } = shutdownFailure()
    return { code, name: report.name, message: report.message, retryable: true }
  }

  #openSuspensions(context: HandlerContext = {}): Suspensions {
    this.#assertOpen()
    const suspensions = this.#suspensions.of(context)
    if (suspensions) return suspensions
    throw new ExecutorError(
      'INVALID_OPTIONS',
      'The runtime keeps no suspended calls: give it the option suspensions: { store }',
    )
  }

  #assertOpen(): void {
    if (this.#closed) throw new ExecutorError('SHUT_DOWN', 'The runtime is shut down')
  }
}

function dispatcherFor(options: ResolvedRuntimeOptions, services: GuestServices): Dispatcher {
  const { threads, maxQueue, hardTimeoutGraceMs, logger } = options
  const { maxStackBytes, maxInstances, maxHandlerBytes } = options
  const { minInstances, maxWaiting, acquireTimeoutMs, idleTimeoutMs } = options
  const pool = { minInstances, maxWaiting, acquireTimeoutMs, idleTimeoutMs }
  const engine = {
    maxStackBytes,
    maxInstances,
    maxHandlerBytes,
    pool,
    threadPoolSlots: threadPoolSlots(),
  }
  if (threads === 0) return new InlineDispatcher(engine, services)
  return new ThreadPool(
    { threads, maxQueue, logger, thread: { engine, hardTimeoutGraceMs } },
    services,
  )
}
