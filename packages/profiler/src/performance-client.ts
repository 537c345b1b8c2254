import { describeThrown, type Logger } from '@nexus/diagnostics'
import { SystemMonitor } from '@nexus/metrics'
import { z } from 'zod'
import { PerformanceError } from './errors.js'
import type { MetricInput, PerformanceMetric } from './metrics/metric.js'
import { type MetricFilter, MetricStore } from './metrics/metric-store.js'
import { type MetricSummary, summarizeMetrics } from './metrics/metric-summary.js'
import type { OptimizationRule } from './optimizations/finding.js'
import type { Knob } from './optimizations/knob.js'
import type { Optimization } from './optimizations/optimization.js'
import { Optimizer } from './optimizations/optimizer.js'
import {
  type PerformanceClientOptions,
  type PerformanceConfig,
  parse,
  resolveOptions,
} from './options.js'
import { type Interaction, interactionMetric } from './pages/interaction.js'
import { parsePageMetrics } from './pages/page-metrics.js'
import { findUxImprovements, type UxImprovement } from './pages/ux-improvement.js'
import {
  ProfileRecorder,
  type ProfilingOptions,
  type ResolvedProfilingOptions,
} from './profiling/recorder.js'
import { recommendationsOf } from './reports/recommendations.js'
import { PerformanceReport } from './reports/report.js'
import type { ReportContent } from './reports/report-content.js'
import { type HostFacts, readHostFacts } from './snapshots/host-facts.js'
import { HostWatch } from './snapshots/host-watch.js'
import { ProcessMonitor } from './snapshots/process-monitor.js'
import { PerformanceSnapshot } from './snapshots/snapshot.js'
import { type PerformanceSources, readSources } from './snapshots/sources.js'

/** Snapshots that are kept at most; the oldest are removed. */
const MAX_SNAPSHOTS = 240

const profilingOptions = z
  .strictObject({
    cpu: z.boolean().default(true),
    heap: z.boolean().default(false),
    samplingIntervalUs: z.number().int().min(50).max(1_000_000).default(5_000),
    heapSamplingIntervalBytes: z.number().int().min(1_024).default(32_768),
  })
  .refine(({ cpu, heap }) => cpu || heap, 'expected cpu or heap to be true') satisfies z.ZodType<
  ResolvedProfilingOptions,
  ProfilingOptions
>

/** What a client holds, and its limits. */
export interface PerformanceClientStats {
  /** The options in force. */
  config: PerformanceConfig
  /** Metrics that are kept. */
  metrics: number
  /** Metrics recorded since the start. */
  metricsRecorded: number
  /** Snapshots that are kept. */
  snapshots: number
  /** Snapshots that are kept at most. */
  maxSnapshots: number
  /** Whether a profile is being taken. */
  profiling: boolean
  /** Rules that threw when they looked last, by id, and what they said. */
  failedRules: Readonly<Record<string, string>>
}

/** Records, profiles and improves the process it runs in. Made by {@link createPerformanceClient}. */
export class PerformanceClient {
  /** The options, with defaults and environment variables applied. */
  readonly config: Readonly<PerformanceConfig>
  readonly #logger: Logger
  readonly #clock: Pick<DateConstructor, 'now'>
  readonly #metrics: MetricStore
  readonly #monitor = new ProcessMonitor()
  readonly #system: SystemMonitor
  readonly #hostWatch: HostWatch
  readonly #recorder: ProfileRecorder
  readonly #optimizer: Optimizer
  readonly #timer: NodeJS.Timeout | undefined
  #sources: PerformanceSources = {}
  #snapshots: PerformanceSnapshot[] = []
  #snapshotCount = 0
  #reportCount = 0
  /** How many metrics were recorded up to the last snapshot. */
  #metricsInSnapshots = 0
  #host: HostFacts | undefined
  #ticking = false
  #closed = false

  /** @throws {@link PerformanceError} `INVALID_OPTIONS`, also for an environment variable */
  constructor(options: PerformanceClientOptions = {}) {
    const { config, logger, tracer, clock } = resolveOptions(options)
    this.config = config
    this.#logger = logger
    this.#clock = clock
    this.#metrics = new MetricStore(config, clock)
    this.#system = new SystemMonitor({ disks: config.disks })
    this.#hostWatch = new HostWatch(config.hostIntervalMs)
    this.#recorder = new ProfileRecorder(config.maxProfilingMs, tracer)
    this.#optimizer = new Optimizer(clock, logger)
    if (config.profileIntervalMs > 0 && (config.enableProfiling || config.enableOptimizations)) {
      this.#timer = setInterval(() => void this.#tick(), config.profileIntervalMs)
      this.#timer.unref()
    }
  }

  /**
   * Keeps a metric.
   *
   * @returns the metric with its id, or undefined when `enableMetrics` is off
   * @throws {@link InvalidMetricError}
   */
  recordMetric(metric: MetricInput): PerformanceMetric | undefined {
    this.#expectOpen()
    return this.config.enableMetrics ? this.#metrics.record(metric) : undefined
  }

  /**
   * The metric with this id.
   *
   * @throws {@link MetricNotFoundError}
   */
  getMetric(id: string): PerformanceMetric {
    return this.#metrics.get(id)
  }

  /** The metrics that match, oldest first. */
  getMetrics(filter?: MetricFilter): PerformanceMetric[] {
    return this.#metrics.find(filter)
  }

  /** The metrics that match, added up by name and unit, the most recorded first. */
  getMetricSummaries(filter?: MetricFilter): MetricSummary[] {
    return summarizeMetrics(this.getMetrics(filter))
  }

  /**
   * Keeps how long a person waited for something.
   *
   * @returns it as a metric, or undefined when `enableMetrics` is off
   * @throws {@link InvalidMetricError}
   */
  recordInteraction(interaction: Interaction): PerformanceMetric | undefined {
    return this.recordMetric(interactionMetric(interaction))
  }

  /** What people wait for too long, worst first: from interactions and web vitals. */
  getUxImprovements(): UxImprovement[] {
    return findUxImprovements(this.getMetrics())
  }

  /**
   * Keeps what a page sent with `@nexus/profiler/browser`: the parsed body of its request.
   *
   * @returns the metrics, none when `enableMetrics` is off
   * @throws {@link InvalidMetricError} when any of them is wrong; then none is kept
   */
  recordPageMetrics(payload: unknown): PerformanceMetric[] {
    return parsePageMetrics(payload).flatMap((metric) => this.recordMetric(metric) ?? [])
  }

  /** Adds components whose figures belong in snapshots; one that is there already is replaced. */
  observe(sources: PerformanceSources): void {
    this.#sources = { ...this.#sources, ...sources }
  }

  /**
   * Lets optimizations change a setting.
   *
   * @returns a function that removes it
   * @throws {@link PerformanceError} `INVALID_OPTIONS`
   */
  registerKnob(knob: Knob): () => void {
    return this.#optimizer.registerKnob(knob)
  }

  /**
   * Adds a rule of your own to those that look for optimizations. What it finds is listed and applied like the rest. A
   * rule that throws finds nothing; `getStats().failedRules` says why.
   *
   * @returns a function that removes it
   * @throws {@link PerformanceError} `INVALID_OPTIONS` when it is no rule or its id is taken
   *
   * @example
   * ```ts
   * client.registerRule({
   *   id: 'slow-queries',
   *   measure: (snapshots) => slowest(snapshots),
   *   find(snapshots) {
   *     const value = slowest(snapshots)
   *     if (value === undefined || value < 100) return []
   *     return [
   *       {
   *         title: 'Queries are slow',
   *         severity: 'medium',
   *         evidence: [{ what: 'slowest query', value, unit: 'ms', limit: 100 }],
   *         advice: 'Add an index.',
   *         expectedEffect: 'Orders load sooner.',
   *       },
   *     ]
   *   },
   * })
   *
   * function slowest(snapshots: readonly PerformanceSnapshot[]): number | undefined {
   *   const queries = snapshots.flatMap(({ metricSummaries }) => metricSummaries)
   *   return queries.find(({ name }) => name === 'db.query')?.max
   * }
   * ```
   */
  registerRule(rule: OptimizationRule): () => void {
    return this.#optimizer.registerRule(rule)
  }

  /** Takes a snapshot of what happened since the one before, and looks for optimizations. */
  async createSnapshot(): Promise<PerformanceSnapshot> {
    this.#expectOpen()
    const components = await readSources(this.#sources)
    const nowMs = this.#clock.now()
    const recorded = this.#metrics.recordedAfter(this.#metricsInSnapshots)
    this.#metricsInSnapshots = this.#metrics.recorded
    const snapshot = new PerformanceSnapshot(
      `snapshot-${++this.#snapshotCount}`,
      nowMs,
      this.#monitor.read(),
      recorded,
      components,
      this.#system.read(),
      this.#hostWatch.latest,
    )
    this.#snapshots.push(snapshot)
    this.#expireSnapshots(nowMs)
    if (this.config.enableOptimizations) this.#optimizer.update(this.#snapshots)
    return snapshot
  }

  /** The snapshots that are kept, oldest first. */
  getSnapshots(): readonly PerformanceSnapshot[] {
    return [...this.#snapshots]
  }

  /**
   * Reports on the last `durationMs`, up to a snapshot that it takes now.
   *
   * @throws {@link PerformanceError} `INVALID_OPTIONS` when the duration is not positive
   */
  async generateReport(name: string, durationMs: number): Promise<PerformanceReport> {
    if (!(durationMs > 0)) {
      const message = `Expected the duration of a report to be positive, got ${durationMs} ms.`
      throw new PerformanceError('INVALID_OPTIONS', message, { durationMs })
    }
    const { timestamp } = await this.createSnapshot()
    return this.#report(name, timestamp - durationMs, timestamp, {})
  }

  /**
   * Starts to profile this thread. One profile is taken at a time.
   *
   * @throws {@link ProfilingAlreadyInProgressError}, or {@link PerformanceError} `PROFILING_DISABLED`
   */
  async startProfiling(options: ProfilingOptions = {}): Promise<void> {
    this.#expectOpen()
    if (!this.config.enableProfiling) {
      throw new PerformanceError(
        'PROFILING_DISABLED',
        'Profiling is off. Set enableProfiling or PERFORMANCE_ENABLED to true.',
      )
    }
    const resolved = parse('startProfiling', profilingOptions, options)
    await this.#recorder.start(resolved, this.#clock.now())
  }

  /**
   * Ends the profile.
   *
   * @param name of the report and its files
   * @throws {@link ProfilingNotStartedError}
   */
  async stopProfiling(name = 'profile'): Promise<PerformanceReport> {
    const { startedMs, durationMs, cpu, heap } = await this.#recorder.stop()
    await this.createSnapshot()
    const profiles = { cpuProfile: cpu, heapProfile: heap }
    return this.#report(name, startedMs, startedMs + durationMs, profiles)
  }

  /** What could be better, and what was applied. Looked at with each snapshot. */
  getOptimizations(): Optimization[] {
    return this.#optimizer.optimizations
  }

  /**
   * Applies a suggestion: sets its knob.
   *
   * @throws {@link OptimizationNotFoundError}, {@link OptimizationNotApplicableError}, or what the knob throws
   */
  applyOptimization(id: string): Promise<Optimization> {
    return this.#optimizer.apply(id)
  }

  /**
   * Undoes an applied suggestion: sets its knob to the value before.
   *
   * @throws {@link OptimizationNotFoundError}, {@link OptimizationNotApplicableError}, or what the knob throws
   */
  undoOptimization(id: string): Promise<Optimization> {
    return this.#optimizer.undo(id)
  }

  /** What the machine is. Loads `systeminformation` the first time; later reports have the facts too. */
  async getHostFacts(): Promise<HostFacts> {
    this.#host = await readHostFacts()
    return this.#host
  }

  /** What the client holds, and its limits. */
  getStats(): PerformanceClientStats {
    return {
      config: this.config,
      metrics: this.#metrics.size,
      metricsRecorded: this.#metrics.recorded,
      snapshots: this.#snapshots.length,
      maxSnapshots: MAX_SNAPSHOTS,
      profiling: this.#recorder.isRecording,
      failedRules: Object.fromEntries(this.#optimizer.failures),
    }
  }

  /** Stops everything, a profile that is being taken too, and forgets what was recorded. */
  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#recorder.close()
    this.#monitor.close()
    this.#metrics.clear()
    this.#snapshots = []
  }

  async #tick(): Promise<void> {
    // A source that answers slower than the interval must not pile up.
    if (this.#ticking) return
    this.#ticking = true
    try {
      this.#hostWatch.refresh(this.#clock.now())
      await this.createSnapshot()
      if (this.config.autoOptimize) await this.#optimizer.applyAll()
    } catch (error) {
      // It may have been closed while a source was answering.
      if (this.#closed) return
      const reason = describeThrown(error).message
      this.#logger.error({ reason }, 'a snapshot could not be taken')
    } finally {
      this.#ticking = false
    }
  }

  #report(
    name: string,
    startedMs: number,
    endedMs: number,
    profiles: Partial<Pick<ReportContent, 'cpuProfile' | 'heapProfile'>>,
  ): PerformanceReport {
    const metrics = this.getMetrics({ since: startedMs, until: endedMs + 1 })
    const optimizations = this.getOptimizations()
    const uxImprovements = findUxImprovements(metrics)
    return new PerformanceReport({
      id: `report-${++this.#reportCount}`,
      name,
      startedMs,
      endedMs,
      snapshots: this.#snapshots.filter(({ timestamp }) => timestamp > startedMs),
      metricCount: metrics.length,
      metrics: summarizeMetrics(metrics),
      optimizations,
      uxImprovements,
      recommendations: recommendationsOf(optimizations, uxImprovements),
      host: this.#host,
      cpuProfile: profiles.cpuProfile,
      heapProfile: profiles.heapProfile,
    })
  }

  #expireSnapshots(nowMs: number): void {
    const oldest = nowMs - this.config.metricsRetentionMs
    this.#snapshots = this.#snapshots
      .filter(({ timestamp }) => timestamp >= oldest)
      .slice(-MAX_SNAPSHOTS)
  }

  #expectOpen(): void {
    if (!this.#closed) return
    throw new PerformanceError('CLIENT_CLOSED', 'The client was closed. Create another one.')
  }
}

/**
 * Creates a client for this process.
 *
 * @throws {@link PerformanceError} `INVALID_OPTIONS`, also for an environment variable
 *
 * @example
 * ```ts
 * const client = createPerformanceClient()
 * await client.startProfiling()
 * await work()
 * const report = await client.stopProfiling('work')
 * await report.save('profiles')
 * ```
 */
export function createPerformanceClient(options?: PerformanceClientOptions): PerformanceClient {
  return new PerformanceClient(options)
}
