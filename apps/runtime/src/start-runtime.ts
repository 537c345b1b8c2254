import { WasmRuntime } from '@nexus/executor'
import { addProcessMetrics, MetricsCollector } from '@nexus/metrics'
import type { ActivityListener } from './activity.js'
import { BusMonitor } from './bus-monitor.js'
import { type ConfigOverrides, loadConfig, type RuntimeConfig } from './config/load-config.js'
import { FunctionHost } from './functions/function-host.js'
import { loadFunctions } from './functions/load-functions.js'
import type { RunParts } from './functions/run-function.js'
import { busFigures, metricsReport } from './metrics.js'
import { openBus } from './open-bus.js'
import { openCompiler } from './open-compiler.js'
import { runtimeSources } from './profiling/component-figures.js'
import { runtimeKnobs } from './profiling/knobs.js'
import { PerformanceMonitor } from './profiling/performance-monitor.js'
import { ProcessProfiler } from './profiling/process-profiler.js'
import { Reloader } from './reloader.js'
import { createServer } from './server/create-server.js'
import { eventRoutes } from './server/event-routes.js'
import { healthRoutes } from './server/health-routes.js'
import { ingestRoutes } from './server/ingest-routes.js'
import { listen } from './server/listen.js'
import { metricsRoutes } from './server/metrics-routes.js'
import { optimizationRoutes } from './server/optimization-routes.js'
import { pageRoutes } from './server/page-routes.js'
import { profileRoutes } from './server/profile-routes.js'
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
  readonly config: RuntimeConfig
  /** Stops taking events, lets those under way end within `drainTimeoutMs`, and closes everything. */
  close(): Promise<void>
}

/**
 * Reads the configuration, composes bus, sandbox, metrics and server, and serves.
 *
 * @throws RuntimeError when the configuration, a function or the port does not allow it; nothing is left open
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
    const functions = await loadFunctions(config.functions, wasm)

    const bus = await openBus(config)
    teardown.add(() => bus.close({ drainTimeoutMs: config.drainTimeoutMs }))
    bus.on('error', report)
    const monitor = await BusMonitor.start(bus, (reason) => report(`bus: ${reason}`))
    metrics.observe({ bus: () => busFigures(bus) })

    const tracing = await loadTracing()
    const profiler = new ProcessProfiler(wasm)
    const onExecution: RunParts['onExecution'] = (name, metrics, failed) =>
      profiler.recordExecution(name, metrics, failed)
    const host = new FunctionHost(bus, { wasm, onActivity, onExecution, tracing })
    const performance = new PerformanceMonitor({
      settings: config.performance,
      sources: runtimeSources(wasm, metrics),
      knobs: runtimeKnobs({ wasm, compiler, host }),
    })
    teardown.add(() => performance.close())
    let serving = false
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const server = createServer({
      access: {
        host: config.host,
        token: config.token,
        signedWebhooks: config.webhook.signature !== undefined,
        pageOrigins: config.performance.pages?.origins,
      },
      bodyLimitBytes: config.bodyLimitBytes,
      onFault: report,
    })
    // A group that is new hears only of later events: nobody is answered before every function is subscribed.
    server.addHook('onRequest', () => opened)
    ingestRoutes(server, { bus, webhook: config.webhook, tracing })
    eventRoutes(server, bus)
    metricsRoutes(server, metrics, () => metricsReport(bus, metrics))
    profileRoutes(server, {
      profiler,
      enabled: config.performance.enableProfiling,
      functionNames: () => host.names,
    })
    optimizationRoutes(server, performance, config.performance.enableOptimizations)
    pageRoutes(server, { performance, config: config.performance, registry: metrics.registry })
    healthRoutes(server, () => ({ serving, bus: monitor.connection }))
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
      const reloader = new Reloader({ config, load, host, wasm, onActivity })
      teardown.add(() => reloader.close())
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

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
