import { WasmRuntime, type WasmRuntimeOptions } from '@nexus/executor'
import {
  describePauseChange,
  FunctionHost,
  type FunctionHostOptions,
  observeBus,
  observeFunctions,
} from '@nexus/functions'
import { FunctionProfiler } from '@nexus/functions/profiling'
import {
  addProcessMetrics,
  addSystemMetrics,
  MetricsCollector,
  SystemMonitor,
} from '@nexus/metrics'
import { createServer, OperationsLog } from '@nexus/server'
import type { ActivityListener } from './activity.js'
import { openBus } from './bus/open-bus.js'
import { type ConfigOverrides, loadConfig, type RuntimeConfig } from './config/load-config.js'
import { compileConfigured } from './function-definitions.js'
import { listen } from './listen.js'
import { messageOf } from './message-of.js'
import { openCompiler } from './open-compiler.js'
import { openLog } from './open-log.js'
import { openPerformance } from './open-performance.js'
import { Teardown } from './teardown.js'
import { loadTracing } from './tracing.js'
import { type LoadConfig, watchFunctions } from './watch-functions.js'

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
  /**
   * Gets each entry of the log as one line of JSON, from `log.level` up, without secrets.
   * @default nothing is logged
   */
  onLog?: (line: string) => void
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
  const load: LoadConfig = (needs) => loadConfig(options.config, options, env, needs)
  const config = await load()
  const teardown = new Teardown()
  const logger = openLog(config, options.onLog)
  try {
    const metrics = new MetricsCollector()
    teardown.add(() => metrics.close())
    teardown.add(addProcessMetrics(metrics.registry))
    const disks = { data: config.dataDir, cache: config.cacheDir }
    teardown.add(addSystemMetrics(metrics.registry, { disks }))
    const report = (error: unknown) => onActivity({ kind: 'problem', message: messageOf(error) })
    const { compiler, close: closeCompiler } = await openCompiler(config, logger)
    teardown.add(closeCompiler)
    const wasm = new WasmRuntime({ metrics, compiler, logger, ...sandboxOptions(config) })
    // The bus waits for its deliveries first: what still runs then has had its time.
    teardown.add(() => wasm.shutdown({ drainTimeoutMs: 0 }))
    const functions = await compileConfigured(config.functions, wasm, logger)

    const bus = await openBus(config, logger)
    teardown.add(() => bus.close({ drainTimeoutMs: config.drainTimeoutMs }))
    bus.on('error', report)
    teardown.add(observeBus(metrics.registry, bus))
    const operations = new OperationsLog({ logger, metrics, bus, cache: wasm.cache })
    teardown.add(() => operations.close())

    const tracing = await loadTracing()
    const profiler = new FunctionProfiler({
      runtime: wasm,
      tracing,
      profileProcess: async (options) => (await import('@nexus/profiler')).profileProcess(options),
    })
    const host = new FunctionHost({
      bus,
      runtime: wasm,
      tracing,
      logger,
      links: linksOf(config),
      onPauseChange: (change) =>
        onActivity({ kind: 'problem', message: describePauseChange(change) }),
      onAttempt: (attempt) => {
        profiler.record(attempt)
        const { metrics: _, ...told } = attempt
        onActivity({ kind: 'run', ...told })
      },
    })
    teardown.add(observeFunctions(metrics.registry, host))
    teardown.add(() => host.close({ drainTimeoutMs: config.drainTimeoutMs }))
    const performance = openPerformance({
      config: config.performance,
      ...{ runtime: wasm, compiler, metrics, disks, logger },
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
      system: new SystemMonitor({ disks }),
      logger,
      runtime: wasm,
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
      const watcher = watchFunctions({ config, load, host, logger, onActivity })
      teardown.add(() => watcher.close())
    }
    teardown.add(() => {
      serving = false
    })
    if (config.performance.fromStart) await performance.client()
    serving = true
    for (const message of config.warnings) {
      logger.warn({ reason: message }, 'the configuration has a warning')
      onActivity({ kind: 'problem', message })
    }
    logger.info({ url, bus: config.bus.backend, functions: host.names }, 'started')
    let closing: Promise<void> | undefined
    const close = () =>
      (closing ??= (async () => {
        logger.info({}, 'stopping')
        await teardown.run()
        logger.info({}, 'stopped')
      })())
    return { url, config, close }
  } catch (error) {
    // Why the start failed is what its caller needs to hear, not what came after.
    await teardown.run().catch(() => {})
    throw error
  }
}

/** Links of `ctx.resumeUrl` need an address and a key. */
function linksOf({ publicUrl, linkKey }: RuntimeConfig): FunctionHostOptions['links'] {
  return publicUrl && linkKey ? { baseUrl: publicUrl, keys: linkKey } : undefined
}

/** What nexus.yaml says of threads, sandboxes and what they keep. */
function sandboxOptions(config: RuntimeConfig): WasmRuntimeOptions {
  const { threads, maxQueue, maxHandlerBytes, maxModuleBytes, imageKey } = config
  const { minInstances, maxInstances, maxWaiting, acquireTimeoutMs, idleTimeoutMs } = config
  return {
    ...{ threads, maxQueue, maxHandlerBytes, maxModuleBytes },
    ...{ minInstances, maxInstances, maxWaiting, acquireTimeoutMs, idleTimeoutMs },
    suspensions: { keys: imageKey },
  }
}
