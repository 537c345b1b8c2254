import type { z } from 'zod'
import { MetricsError } from '../errors.js'
import { Counter } from '../kinds/counter.js'
import {
  type Collect,
  type CounterDefinition,
  counterDefinition,
  type GaugeDefinition,
  gaugeDefinition,
  type HistogramDefinition,
  histogramDefinition,
  type Observe,
  type SummaryDefinition,
  summaryDefinition,
} from '../kinds/definition.js'
import { Gauge } from '../kinds/gauge.js'
import { Histogram } from '../kinds/histogram.js'
import type { Metric, MetricContext } from '../kinds/metric.js'
import { Summary } from '../kinds/summary.js'
import {
  type MetricsRegistryOptions,
  parseOptions,
  type ResolvedRegistryOptions,
  registryOptions,
} from '../options.js'
import { type ExpositionFormat, formatHeader } from './format.js'
import { Observation, type ObservedMetric } from './observation.js'
import type { ObservedDefinition, ObservedMetrics } from './observed-metrics.js'
import { scrape } from './scrape.js'
import type { Series } from './series-table.js'
import type { MetricSnapshot, RegistrySnapshot } from './snapshot.js'

/** What a registry holds, and its limits. */
export interface RegistryStats {
  /** When the registry was made, in milliseconds since the epoch. */
  startedMs: number
  /** Metrics that are registered. */
  metrics: number
  /** Series of all metrics. */
  series: number
  /** Label sets that one metric may have. */
  maxSeriesPerMetric: number
  /** Updates, and handles asked for, that were refused because their metric was full. */
  refusedUpdates: number
  /** Series dropped because nothing updated them. */
  expiredSeries: number
  /** Reads of observed metrics that failed or came late. */
  failedCollects: number
}

/** Hears of metrics that come and go. */
export interface MetricsWatcher {
  /** Called before a metric is added; when it throws, the metric is not. */
  onAdd(metric: Metric): void
  /** Called after a metric was removed. */
  onRemove(metric: Metric): void
}

/**
 * Holds metrics by name and exports them.
 *
 * @example
 * ```ts
 * const registry = new MetricsRegistry()
 * const requests = registry.counter({ name: 'requests_total', help: 'Requests answered.' })
 * requests.inc()
 * console.log(registry.toPrometheus())
 * ```
 */
export class MetricsRegistry {
  readonly #options: ResolvedRegistryOptions
  readonly #metrics = new Map<string, Metric>()
  /** Which metric prints a sample name. */
  readonly #owners = new Map<string, string>()
  readonly #observations = new Set<Observation>()
  readonly #watchers = new Set<MetricsWatcher>()
  #context: MetricContext
  readonly #failedCollects: Counter<'metric'>
  readonly #startedMs: number
  /** Metrics of which each was logged, which is said once. */
  readonly #warnedRefusals = new Set<string>()
  readonly #warnedCollects = new Set<string>()
  #refused = 0
  #failed = 0

  /** @throws {@link MetricsError} `INVALID_OPTIONS` */
  constructor(options: MetricsRegistryOptions = {}) {
    this.#options = parseOptions('MetricsRegistry', registryOptions, options)
    const { clock, maxSeriesPerMetric } = this.#options
    this.#startedMs = clock.now()
    // These two have one series per metric at most, so they need no limit, and refusals cannot recurse.
    this.#context = { clock, maxSeries: Number.POSITIVE_INFINITY, onRefused() {} }
    const refused = this.counter({
      name: 'nexus_metrics_refused_updates_total',
      help: 'Updates and handles refused because their metric had as many label sets as it may have.',
      labelNames: ['metric'],
    })
    this.#failedCollects = this.counter({
      name: 'nexus_metrics_failed_collects_total',
      help: 'Reads of a metric at scrape time that failed or came too late.',
      labelNames: ['metric'],
    })
    this.#context = {
      clock,
      maxSeries: maxSeriesPerMetric,
      onRefused: (metric) => {
        this.#refused++
        refused.inc({ metric })
        if (isNew(this.#warnedRefusals, metric)) {
          this.#options.logger.warn(
            { metric },
            'a metric has as many label sets as it may have: others are refused',
          )
        }
      },
    }
  }

  /**
   * Adds a counter.
   *
   * @throws {@link MetricsError} `INVALID_OPTIONS`, `NAME_TAKEN`
   */
  counter<const L extends string = never>(definition: CounterDefinition<L>): Counter<L> {
    const resolved = parse('counter', counterDefinition, definition)
    return this.#add(new Counter<L>(resolved, this.#context), resolved.collect)
  }

  /**
   * Adds a gauge.
   *
   * @throws {@link MetricsError} `INVALID_OPTIONS`, `NAME_TAKEN`
   */
  gauge<const L extends string = never>(definition: GaugeDefinition<L>): Gauge<L> {
    const resolved = parse('gauge', gaugeDefinition, definition)
    return this.#add(new Gauge<L>(resolved, this.#context), resolved.collect)
  }

  /**
   * Adds a histogram.
   *
   * @throws {@link MetricsError} `INVALID_OPTIONS`, `NAME_TAKEN`
   */
  histogram<const L extends string = never>(definition: HistogramDefinition<L>): Histogram<L> {
    return this.#add(
      new Histogram<L>(parse('histogram', histogramDefinition, definition), this.#context),
    )
  }

  /**
   * Adds a summary of quantiles.
   *
   * @throws {@link MetricsError} `INVALID_OPTIONS`, `NAME_TAKEN`
   */
  summary<const L extends string = never>(definition: SummaryDefinition<L>): Summary<L> {
    return this.#add(new Summary<L>(parse('summary', summaryDefinition, definition), this.#context))
  }

  /**
   * Adds counters and gauges that one callback reads at scrape time, such as all those of one `getStats()`.
   *
   * @returns a function that removes them again
   * @throws {@link MetricsError} `INVALID_OPTIONS`, `NAME_TAKEN`
   */
  observe<const M extends Readonly<Record<string, ObservedDefinition>>>(
    observed: ObservedMetrics<M>,
  ): () => void {
    const keys = Object.keys(observed.metrics)
    const metrics: ObservedMetric[] = []
    try {
      for (const { type, ...definition } of Object.values(observed.metrics)) {
        metrics.push(
          type === 'counter'
            ? this.#register(new Counter(parse(type, counterDefinition, definition), this.#context))
            : this.#register(new Gauge(parse(type, gaugeDefinition, definition), this.#context)),
        )
      }
    } catch (error) {
      for (const metric of metrics) this.remove(metric.name)
      throw error
    }
    this.#observeWith(metrics, (observers) => {
      const observe = Object.fromEntries(keys.map((key, i) => [key, observers[i]!]))
      return observed.collect(observe as Parameters<typeof observed.collect>[0])
    })
    return () => {
      // The name may belong to another metric by now.
      for (const metric of metrics) if (this.get(metric.name) === metric) this.remove(metric.name)
    }
  }

  /** The metrics, in the order they were added. */
  metrics(): readonly Metric[] {
    return [...this.#metrics.values()]
  }

  /**
   * Tells `watcher` of every metric: those that are here now, and those that come and go later.
   *
   * @returns a function that stops it
   */
  watch(watcher: MetricsWatcher): () => void {
    for (const metric of this.metrics()) watcher.onAdd(metric)
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  /** The metric of this name. */
  get(name: string): Metric | undefined {
    return this.#metrics.get(name)
  }

  /** Removes a metric with its series; false when there was none of this name. */
  remove(name: string): boolean {
    const metric = this.#metrics.get(name)
    if (!metric) return false
    this.#metrics.delete(name)
    for (const watcher of this.#watchers) watcher.onRemove(metric)
    for (const sample of metric.sampleNames) this.#owners.delete(sample)
    for (const observation of this.#observations) {
      if (observation.metrics.every(({ name }) => !this.#metrics.has(name))) {
        this.#observations.delete(observation)
      }
    }
    return true
  }

  /**
   * Everything as text, in one go: for small registries. Metrics with an asynchronous `collect` show what
   * it last read.
   */
  toPrometheus(options: { format?: ExpositionFormat } = {}): string {
    const format = options.format ?? 'text'
    for (const observation of this.#observations) void observation.run()
    let text = ''
    for (const metric of this.#metrics.values()) {
      let header = formatHeader(metric.name, metric.type, metric.help, format)
      for (const series of metric.table.live()) {
        if (header) text += header
        header = ''
        text += metric.write(series, format)
      }
    }
    return format === 'openmetrics' ? `${text}# EOF\n` : text
  }

  /**
   * Everything as text, in chunks to send on as they come. It awaits asynchronous `collect`s, and gives way
   * to other work every few milliseconds however many series there are.
   */
  async *scrape(options: { format?: ExpositionFormat } = {}): AsyncGenerator<string, void, void> {
    await this.refresh()
    yield* scrape(this.metrics(), options.format ?? 'text')
  }

  /**
   * Everything recorded, as plain data for another thread or process to {@link merge}. Values of observed
   * metrics are read now, or, when their `collect` is asynchronous, are those of the last scrape.
   */
  snapshot(): RegistrySnapshot {
    for (const observation of this.#observations) void observation.run()
    return { version: 1, metrics: Array.from(this.#snapshots(Number.POSITIVE_INFINITY)) }
  }

  /**
   * Everything recorded in several snapshots of up to `maxSeries` series, for work that must give way in
   * between. Values of observed metrics are those that were read last; see {@link refresh}.
   */
  *snapshotParts(maxSeries: number): Generator<RegistrySnapshot, void, void> {
    for (const metric of this.#snapshots(maxSeries)) yield { version: 1, metrics: [metric] }
  }

  /** Reads every observed metric now, as each scrape does. */
  async refresh(): Promise<void> {
    await Promise.all(Array.from(this.#observations, (observation) => observation.run()))
  }

  /**
   * Adds what another registry recorded to this one: counters, histograms and summaries add up, gauges as
   * their `aggregate` says. Metrics that are missing here are created.
   *
   * @throws {@link MetricsError} `INVALID_SNAPSHOT` when both have a metric of this name but differ in
   * its type, labels, buckets or quantiles; what came before it in the snapshot has been added
   */
  merge(snapshot: RegistrySnapshot): void {
    if (snapshot.version !== 1) {
      throw new MetricsError(
        'INVALID_SNAPSHOT',
        `Expected a snapshot of version 1, got ${snapshot.version}. Use one version of @nexus/metrics in every process.`,
        { version: snapshot.version },
      )
    }
    for (const metric of snapshot.metrics) {
      const target = this.#metrics.get(metric.name) ?? this.#create(metric)
      target.merge(metric)
    }
  }

  /** What the registry holds, and its limits. */
  getStats(): RegistryStats {
    let series = 0
    let expired = 0
    for (const { table } of this.#metrics.values()) {
      series += table.size
      expired += table.expired
    }
    return {
      startedMs: this.#startedMs,
      metrics: this.#metrics.size,
      series,
      maxSeriesPerMetric: this.#options.maxSeriesPerMetric,
      refusedUpdates: this.#refused,
      expiredSeries: expired,
      failedCollects: this.#failed,
    }
  }

  *#snapshots(maxSeries: number): Generator<MetricSnapshot, void, void> {
    for (const metric of this.metrics()) {
      let part: Series[] = []
      for (const series of metric.table.live()) {
        part.push(series)
        if (part.length < maxSeries) continue
        yield metric.snapshot(part)
        part = []
      }
      if (part.length > 0) yield metric.snapshot(part)
    }
  }

  #create(snapshot: MetricSnapshot): Metric {
    const { name, help, labelNames } = snapshot
    switch (snapshot.type) {
      case 'counter':
        return this.counter({ name, help, labelNames })
      case 'gauge':
        return this.gauge({ name, help, labelNames, aggregate: snapshot.aggregate })
      case 'histogram':
        return this.histogram({ name, help, labelNames, buckets: snapshot.buckets })
      case 'summary':
        return this.summary({ name, help, labelNames, quantiles: snapshot.quantiles })
    }
  }

  #add<M extends Counter | Gauge | Histogram | Summary>(metric: M, collect?: Collect): M {
    this.#register(metric)
    if (collect && (metric instanceof Counter || metric instanceof Gauge)) {
      this.#observeWith([metric], ([observe]) => collect(observe!))
    } else metric.reset()
    return metric
  }

  #register<M extends Metric>(metric: M): M {
    for (const sample of metric.sampleNames) {
      const owner = this.#owners.get(sample)
      if (owner === undefined) continue
      throw new MetricsError(
        'NAME_TAKEN',
        owner === metric.name
          ? `There already is a metric "${metric.name}". Register it once and share it.`
          : `"${metric.name}" would print "${sample}", as "${owner}" does. Choose another name.`,
        { metric: metric.name, sample, owner },
      )
    }
    for (const watcher of this.#watchers) watcher.onAdd(metric)
    for (const sample of metric.sampleNames) this.#owners.set(sample, metric.name)
    this.#metrics.set(metric.name, metric)
    return metric
  }

  #observeWith(
    metrics: readonly ObservedMetric[],
    collect: (observers: readonly Observe[]) => void | Promise<void>,
  ): void {
    const onError = (names: readonly string[]) => {
      this.#failed++
      for (const metric of names) {
        this.#failedCollects.inc({ metric })
        if (isNew(this.#warnedCollects, metric)) {
          this.#options.logger.warn(
            { metric },
            'a metric could not be read: its collect failed or came too late',
          )
        }
      }
    }
    const timeoutMs = this.#options.collectTimeoutMs
    this.#observations.add(new Observation(metrics, collect, { timeoutMs, onError }))
  }
}

/** Whether a set did not have the name yet, which it has from now on. */
function isNew(names: Set<string>, name: string): boolean {
  if (names.has(name)) return false
  names.add(name)
  return true
}

function parse<Output, Input>(kind: string, schema: z.ZodType<Output, Input>, definition: unknown) {
  const name = (definition as { name?: unknown } | undefined)?.name
  return parseOptions(`${kind} ${JSON.stringify(name) ?? 'without a name'}`, schema, definition)
}
