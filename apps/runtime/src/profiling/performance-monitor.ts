import type { Knob, PerformanceClient, PerformanceSources } from '@nexus/profiler'
import type { PerformanceSettings } from '../config/performance-config.js'

/** Looking again within this time shows the same: the rules judge by the latest ten looks. */
const freshMs = 5_000

/** What a {@link PerformanceMonitor} looks at and may turn. */
export interface MonitorParts {
  settings: PerformanceSettings
  sources: PerformanceSources
  knobs: readonly Knob[]
}

/** The process's own performance client; there from the first time that somebody asks for it. */
export class PerformanceMonitor {
  readonly #parts: MonitorParts
  #client: Promise<PerformanceClient> | undefined

  constructor(parts: MonitorParts) {
    this.#parts = parts
  }

  /** The client, which begins to look when it is asked for the first time. */
  client(): Promise<PerformanceClient> {
    this.#client ??= this.#open()
    return this.#client
  }

  /** The client, after a look at how things are now. */
  async look(): Promise<PerformanceClient> {
    const client = await this.client()
    const age = Date.now() - (client.getSnapshots().at(-1)?.timestamp ?? 0)
    const { profileIntervalMs } = this.#parts.settings
    if (age >= Math.min(freshMs, profileIntervalMs)) await client.createSnapshot()
    return client
  }

  async close(): Promise<void> {
    const client = await this.#client
    client?.close()
  }

  async #open(): Promise<PerformanceClient> {
    const { createPerformanceClient } = await import('@nexus/profiler')
    const { settings, sources, knobs } = this.#parts
    // Its environment variables are read with the configuration.
    const client = createPerformanceClient({
      enableProfiling: settings.enableProfiling,
      profileIntervalMs: settings.profileIntervalMs,
      enableOptimizations: settings.enableOptimizations,
      autoOptimize: settings.autoOptimize,
      enableMetrics: settings.enableMetrics,
      metricsRetentionMs: settings.metricsRetentionMs,
      env: {},
    })
    client.observe(sources)
    for (const knob of knobs) client.registerKnob(knob)
    // What grew is told from a first look on.
    await client.createSnapshot()
    return client
  }
}
