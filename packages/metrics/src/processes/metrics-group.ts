import type { ChildProcess } from 'node:child_process'
import { MessagePort, Worker } from 'node:worker_threads'
import { MetricsError } from '../errors.js'
import type { Counter } from '../kinds/counter.js'
import type { ExpositionFormat } from '../registry/format.js'
import { MetricsRegistry } from '../registry/registry.js'
import type { RegistrySnapshot } from '../registry/snapshot.js'
import { TimeSlice } from '../registry/time-slice.js'
import type { SharedMetrics } from './share-metrics.js'

/** A thread or process that shares its metrics. */
export type MetricsMember = Worker | MessagePort | ChildProcess

/** What a group holds. */
export interface MetricsGroupStats {
  /** Members that are alive. */
  members: number
  /** Members that ended; their totals stay in the scrape. */
  ended: number
}

/** Series of a snapshot of the own registry between two looks at the time. */
const SERIES_PER_PART = 64

/**
 * Adds up what this process, its worker threads and its child processes record, for one scrape.
 *
 * @example
 * ```ts
 * const group = new MetricsGroup(registry)
 * group.add(new Worker('./worker.js')) // it calls shareMetrics(registry, parentPort)
 * ```
 */
export class MetricsGroup {
  readonly #registry: MetricsRegistry
  readonly #members = new Map<MetricsMember, Member>()
  /** Totals of the members that ended. */
  readonly #ended = emptyTotal()
  readonly #rejected: Counter<'metric'>
  #endedCount = 0

  /**
   * @param registry what this process records itself; a registry has one group at most
   * @throws {@link MetricsError} `NAME_TAKEN` when it has one already
   */
  constructor(registry: MetricsRegistry) {
    this.#registry = registry
    this.#rejected = registry.counter({
      name: 'nexus_metrics_rejected_snapshots_total',
      help: 'Snapshots skipped because they define a different metric under this name.',
      labelNames: ['metric'],
    })
  }

  /** Adds a thread or process that calls `shareMetrics`. When it ends its gauges go and its totals stay. */
  add(member: MetricsMember): void {
    if (this.#members.has(member)) return
    this.#members.set(member, new Member(member, () => this.#end(member)))
  }

  /**
   * The totals as text in chunks, giving way to other work like `MetricsRegistry.scrape`. A snapshot that
   * defines a different metric under the name of another is skipped, and counted.
   */
  async *scrape(options: { format?: ExpositionFormat } = {}): AsyncGenerator<string, void, void> {
    await this.#registry.refresh()
    const total = emptyTotal()
    const slice = new TimeSlice()
    for (const part of this.#parts()) {
      this.#mergeInto(total, part)
      if (slice.isOver()) await slice.next()
    }
    yield* total.scrape(options)
  }

  /** What the group holds. */
  getStats(): MetricsGroupStats {
    return { members: this.#members.size, ended: this.#endedCount }
  }

  /** Stops listening to every member and drops their figures. */
  close(): void {
    for (const member of this.#members.values()) member.detach()
    this.#members.clear()
    this.#registry.remove(this.#rejected.name)
  }

  #mergeInto(total: MetricsRegistry, part: RegistrySnapshot): void {
    for (const metric of part.metrics) {
      try {
        total.merge({ version: part.version, metrics: [metric] })
      } catch (error) {
        if (!(error instanceof MetricsError)) throw error
        this.#rejected.inc({ metric: metric.name })
      }
    }
  }

  *#parts(): Generator<RegistrySnapshot, void, void> {
    yield* this.#registry.snapshotParts(SERIES_PER_PART)
    yield* this.#ended.snapshotParts(SERIES_PER_PART)
    for (const { snapshots } of [...this.#members.values()]) yield* snapshots
  }

  #end(ended: MetricsMember): void {
    const member = this.#members.get(ended)
    if (!member) return
    member.detach()
    this.#members.delete(ended)
    this.#endedCount++
    for (const { version, metrics } of member.snapshots) {
      const totals = metrics.filter(({ type }) => type !== 'gauge')
      this.#mergeInto(this.#ended, { version, metrics: totals })
    }
  }
}

/** Listens to one thread or process. */
class Member {
  /** The last complete round. */
  snapshots: readonly RegistrySnapshot[] = []
  readonly detach: () => void
  #round = Number.NaN
  #parts: RegistrySnapshot[] = []

  constructor(source: MetricsMember, onEnd: () => void) {
    const onMessage = (message: unknown) => {
      if (isSharedMetrics(message)) this.#receive(message)
    }
    const emitter: Emitter = source
    const end = endEventOf(source)
    emitter.on('message', onMessage)
    emitter.on(end, onEnd)
    // Listening to a port would keep the process alive; threads and processes do that by themselves.
    if (source instanceof MessagePort) source.unref()
    this.detach = () => {
      emitter.off('message', onMessage)
      emitter.off(end, onEnd)
    }
  }

  #receive({ round, snapshot, complete }: SharedMetrics): void {
    if (round !== this.#round) this.#parts = []
    this.#round = round
    this.#parts.push(snapshot)
    if (!complete) return
    this.snapshots = this.#parts
    this.#parts = []
  }
}

/** What threads, ports and processes have in common. */
interface Emitter {
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
}

/** The event after which no more messages come. */
function endEventOf(source: MetricsMember): string {
  if (source instanceof Worker) return 'exit'
  return source instanceof MessagePort ? 'close' : 'disconnect'
}

function isSharedMetrics(message: unknown): message is SharedMetrics {
  return (message as Partial<SharedMetrics> | null)?.kind === '@nexus/metrics'
}

function emptyTotal(): MetricsRegistry {
  // Every member kept its own limit.
  return new MetricsRegistry({ maxSeriesPerMetric: Number.MAX_SAFE_INTEGER })
}
