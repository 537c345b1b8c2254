import type { HandlerCompiler } from '@nexus/compile-cache'
import type { Logger } from '@nexus/diagnostics'
import type { WasmRuntime } from '@nexus/executor'
import { sandboxKnobs, sandboxSources } from '@nexus/functions/profiling'
import type { MetricsCollector } from '@nexus/metrics'
import { PerformanceOnDemand } from '@nexus/server'
import type { PerformanceConfig } from './config/performance-config.js'

/** What the server looks at and may change of itself. */
export interface PerformanceParts {
  config: PerformanceConfig
  runtime: WasmRuntime
  compiler: HandlerCompiler
  metrics: MetricsCollector
  /** Directories whose disks are looked at, by name. */
  disks: Readonly<Record<string, string>>
  logger: Logger
}

/** The process's own performance client, made when it is asked for the first time. */
export function openPerformance({
  config: { fromStart: _, pages: __, ...settings },
  runtime,
  compiler,
  metrics,
  disks,
  logger,
}: PerformanceParts): PerformanceOnDemand {
  return new PerformanceOnDemand({
    freshMs: Math.min(5_000, settings.profileIntervalMs),
    open: async () => {
      const { createPerformanceClient } = await import('@nexus/profiler')
      // Its environment variables are read with the configuration.
      const client = createPerformanceClient({ ...settings, disks, logger, env: {} })
      client.observe({ ...sandboxSources(runtime), functions: () => metrics.getStats().functions })
      for (const knob of sandboxKnobs({ runtime, compiler })) client.registerKnob(knob)
      return client
    },
  })
}
