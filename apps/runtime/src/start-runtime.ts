import { isDeepStrictEqual } from 'node:util'
import { WasmRuntime } from '@nexus/executor'
import { describeThrown, FunctionHost, FunctionWatcher, observeBus } from '@nexus/functions'
import { FunctionProfiler } from '@nexus/functions/profiling'
import { addProcessMetrics, MetricsCollector } from '@nexus/metrics'
import { createServer } from '@nexus/server'
import type { ActivityListener } from './activity.js'
import { openBus } from './bus/open-bus.js'
import { type ConfigOverrides, loadConfig, type RuntimeConfig } from './config/load-config.js'
import { compileConfigured, functionDefinitions } from './function-definitions.js'
import { listen } from './listen.js'
import { openCompiler } from './open-compiler.js'
import { openPerformance } from './open-performance.js'
import { Teardown } from './teardown.js'
import { loadTracing } from './tracing.js'

/** Options of {@link startRuntime}. */
export interface StartRuntimeOptions extends ConfigOverrides {
  /** Path of the configuration file. */
  config: string
  /**
   * Reload functions when their files or the configuration change.
   * @default false
   */
  watch?: boolean
  /**
   * Where variables are read from.
   * @default process.env
   */
  env?: NodeJS.ProcessEnv
  /** Hears of every run, reload and problem. */
  onActivity?: ActivityListener
}

/** A runtime that serves. */
export interface Runtime {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string
  /** The configuration that runs: file, environment and overrides together. */
  readonly config: RuntimeConfig
  /** Stops taking events, lets those under way end within `drainTimeoutMs`, and closes everything. */
  close(): Promise<void>
}

/**
 * Reads the configuration, composes bus, sandbox, metrics and server, and serves.
 *
 * @throws RuntimeError when the configuration, a function or the port does not allow it; nothing is left open
 *
 * @example
 * ```ts
 * const runtime = await startRuntime({ config: 'nexus.yaml', port: 0 })
 * console.log(runtime.url)
 * await runtime.close()
 * ```
 */
export async function startRuntime(options: StartRuntimeOptions): Promise<Runtime> {
  const { watch = false, env = process.env, onActivity = () => {} } = options
  const load = () => loadConfig(options.config, options, env)
  const config = await load()
  const teardown = new Teardown()
  try {
    const metrics = new MetricsCollector()
    teardown.add(() => metrics.close())
    teardown.add(addProcessMetrics(metrics.registry))
    const report = (error: unknown) => onActivity({ kind: 'problem', message: messageOf(error) })
    const { compiler, close: closeCompiler } = await openCompiler(config, report)
    teardown.add(closeCompiler)
    const { threads, maxInstances, maxHandlerBytes } = config
    const wasm = new WasmRuntime({ metrics, compiler, threads, maxInstances, maxHandlerBytes })
    // The bus waits for its deliveries first: what still runs then has had its time.
    teardown.add(() => wasm.shutdown({ drainTimeoutMs: 0 }))
    const functions = await compileConfigured(config.functions, wasm)

    const bus = await openBus(config)
    teardown.add(() => bus.close({ drainTimeoutMs: config.drainTimeoutMs }))
    bus.on('error', report)
    teardown.add(observeBus(metrics.registry, bus))

    const tracing = await loadTracing()
    const profiler = new FunctionProfiler({
      runtime: wasm,
      profileProcess: async (options) => (await import('@nexus/profiler')).profileProcess(options),
    })
    const host = new FunctionHost({
      bus,
      runtime: wasm,
      tracing,
      onAttempt: (attempt) => {
        profiler.record(attempt)
        const { metrics: _, ...told } = attempt
        onActivity({ kind: 'run', ...told })
      },
    })
    const performance = openPerformance({
      config: config.performance,
      ...{ runtime: wasm, compiler, metrics },
    })
    teardown.add(() => performance.close())
    let serving = false
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const { enableProfiling, enableOptimizations, enableMetrics, pages } = config.performance
    const server = createServer({
      bus,
      functions: host,
      host: config.host,
      token: config.token,
      webhook: config.webhook,
      webhooks: config.webhooks,
      bodyLimitBytes: config.bodyLimitBytes,
      metrics,
      profiler: enableProfiling && profiler,
      performance,
      enableOptimizations,
      pages: pages && (enableMetrics ? pages : false),
      tracing,
      ready: () => serving,
      onFault: report,
    })
    // A group that is new hears only of later events: no request is answered before every function is subscribed.
    server.addHook('onRequest', () => opened)
    const url = await listen(server, config.host, config.port)
    teardown.add(() => {
      profiler.close()
      // Answers that are under way get their time; a client that keeps its connection busy does not hold us.
      const deadline = setTimeout(() => server.server.closeAllConnections(), config.drainTimeoutMs)
      return server.close().finally(() => clearTimeout(deadline))
    })

    await host.bind(functions)
    open()
    if (watch) {
      const watcher = watchFunctions({ config, load, host, onActivity })
      teardown.add(() => watcher.close())
    }
    teardown.add(() => {
      serving = false
    })
    if (config.performance.fromStart) await performance.client()
    serving = true
    for (const message of config.warnings) onActivity({ kind: 'problem', message })
    return { url, config, close: () => teardown.run() }
  } catch (error) {
    // Why the start failed is what its caller needs to hear, not what came after.
    await teardown.run().catch(() => {})
    throw error
  }
}

interface WatchParts {
  /** The configuration that runs. */
  config: RuntimeConfig
  load: () => Promise<RuntimeConfig>
  host: FunctionHost
  onActivity: ActivityListener
}

/** Runs changed functions; other changes of the file are reported, for they need a restart. */
function watchFunctions({ config, load, host, onActivity }: WatchParts): FunctionWatcher {
  const definitions = ({ file, functions }: RuntimeConfig) => ({
    functions: functionDefinitions(functions),
    files: [file, ...functions.flatMap(({ schemaFile }) => schemaFile ?? [])],
  })
  return new FunctionWatcher(
    {
      host,
      load: async () => {
        const changed = await load()
        if (!isDeepStrictEqual(withoutFunctions(changed), withoutFunctions(config))) {
          onActivity({ kind: 'problem', message: 'settings other than functions need a restart' })
        }
        return definitions(changed)
      },
      onReload: (functions) => onActivity({ kind: 'reload', functions }),
      onProblem: (error) => {
        onActivity({
          kind: 'problem',
          message: `${messageOf(error)}\n\nThe functions go on as they were before this change.`,
        })
      },
    },
    definitions(config),
  )
}

function withoutFunctions({ functions: _, warnings: __, ...rest }: RuntimeConfig): object {
  return rest
}

function messageOf(error: unknown): string {
  const { name = '', message, stack } = describeThrown(error)
  return EXPECTED.has(name) ? message : (stack ?? message)
}

/** Their message says all; of any other error the stack is needed. */
const EXPECTED = new Set(['RuntimeError', 'FunctionsError', 'ServerError'])
