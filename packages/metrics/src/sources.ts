import type { Observe } from './kinds/definition.js'
import type { ObservedDefinition } from './registry/observed-metrics.js'
import type { MetricsRegistry } from './registry/registry.js'

/** A number, or several by the value of the metric's label. */
export type ByLabel = number | Readonly<Record<string, number>>

/** Figures of an instance pool; totals count from its start. */
export interface PoolFigures {
  /** Instances that run a call. */
  active?: number | undefined
  /** Instances that wait for one. */
  available?: number | undefined
  /** Executions frozen until they are resumed. */
  suspended?: number | undefined
  /** Linear memory of all instances, in bytes. */
  memoryBytes?: number | undefined
  /** Calls that wait for an instance now. */
  waiting?: number | undefined
  /** Total of instances rewound to their image. */
  rewinds?: number | undefined
  /** Total of instances thrown away, by reason. */
  discards?: ByLabel | undefined
}

/** Figures of a compile cache; totals count from its start. */
export interface CacheFigures {
  /** Total of look-ups answered, by tier. */
  hits?: ByLabel | undefined
  /** Total of look-ups that no tier answered. */
  misses?: number | undefined
  /** Total of entries dropped for space, by tier. */
  evictions?: ByLabel | undefined
  /** Entries held, by tier. */
  entries?: ByLabel | undefined
  /** Bytes held, by tier. */
  bytes?: ByLabel | undefined
}

/** Figures of the worker threads; totals count from their start. */
export interface ThreadFigures {
  /** Threads alive. */
  count?: number | undefined
  /** Total of threads terminated at a hard deadline. */
  kills?: number | undefined
}

/** Figures of an event bus; totals count from its start, records are by consumer group. */
export interface BusFigures {
  /** Total of events stored. */
  published?: number | undefined
  /** Total of events handed to consumers. */
  delivered?: ByLabel | undefined
  /** Total of deliveries whose handler failed. */
  failed?: ByLabel | undefined
  /** Total of deliveries tried again. */
  retries?: ByLabel | undefined
  /** Total of events that became dead letters. */
  deadLettered?: ByLabel | undefined
  /** Total of events replayed. */
  replayed?: number | undefined
  /** Total of events removed by retention. */
  removed?: number | undefined
  /** Events stored that the group has not finished. */
  lag?: ByLabel | undefined
}

/** Reads a component's figures at scrape time. */
export type Source<Figures> = () => Figures | Promise<Figures>

/** Components whose figures belong in the scrape. */
export interface MetricsSources {
  pool?: Source<PoolFigures> | undefined
  cache?: Source<CacheFigures> | undefined
  threads?: Source<ThreadFigures> | undefined
  bus?: Source<BusFigures> | undefined
}

/** A metric, which figure fills it, and the label by which the figure may be split. */
type Mapping<Figures> = Omit<ObservedDefinition, 'labelNames'> & {
  figure: keyof Figures
  label?: string
  /** The value of the label, where several figures share one metric. */
  labelValue?: string
}

const POOL: readonly Mapping<PoolFigures>[] = [
  ...(['active', 'available', 'suspended'] as const).map(
    (state): Mapping<PoolFigures> => ({
      type: 'gauge',
      name: 'nexus_pool_instances',
      help: 'Sandbox instances, by what they do.',
      figure: state,
      label: 'state',
      labelValue: state,
    }),
  ),
  {
    type: 'gauge',
    name: 'nexus_instance_memory_bytes',
    help: 'Linear memory of all sandbox instances.',
    figure: 'memoryBytes',
  },
  {
    type: 'gauge',
    name: 'nexus_pool_waiting',
    help: 'Calls that wait for a sandbox instance.',
    figure: 'waiting',
  },
  {
    type: 'counter',
    name: 'nexus_rewinds_total',
    help: 'Sandbox instances rewound to their pristine image.',
    figure: 'rewinds',
  },
  {
    type: 'counter',
    name: 'nexus_discards_total',
    help: 'Sandbox instances thrown away, by reason.',
    figure: 'discards',
    label: 'reason',
  },
]

const CACHE: readonly Mapping<CacheFigures>[] = [
  {
    type: 'counter',
    name: 'nexus_cache_hits_total',
    help: 'Look-ups of compiled code that a tier of the cache answered.',
    figure: 'hits',
    label: 'tier',
  },
  {
    type: 'counter',
    name: 'nexus_cache_misses_total',
    help: 'Look-ups of compiled code that no tier of the cache answered.',
    figure: 'misses',
  },
  {
    type: 'counter',
    name: 'nexus_cache_evictions_total',
    help: 'Compiled code dropped from the cache for space.',
    figure: 'evictions',
    label: 'tier',
  },
  {
    type: 'gauge',
    name: 'nexus_cache_entries',
    help: 'Pieces of compiled code in the cache.',
    figure: 'entries',
    label: 'tier',
  },
  {
    type: 'gauge',
    name: 'nexus_cache_bytes',
    help: 'Size of the compiled code in the cache.',
    figure: 'bytes',
    label: 'tier',
  },
]

const THREADS: readonly Mapping<ThreadFigures>[] = [
  {
    type: 'gauge',
    name: 'nexus_threads',
    help: 'Worker threads that execute functions.',
    figure: 'count',
  },
  {
    type: 'counter',
    name: 'nexus_thread_kills_total',
    help: 'Worker threads terminated at a hard deadline.',
    figure: 'kills',
  },
]

const BUS: readonly Mapping<BusFigures>[] = [
  {
    type: 'counter',
    name: 'nexus_events_published_total',
    help: 'Events stored by the bus.',
    figure: 'published',
  },
  {
    type: 'counter',
    name: 'nexus_events_delivered_total',
    help: 'Events handed to the consumers of a group.',
    figure: 'delivered',
    label: 'group',
  },
  {
    type: 'counter',
    name: 'nexus_events_failed_total',
    help: 'Deliveries whose handler failed.',
    figure: 'failed',
    label: 'group',
  },
  {
    type: 'counter',
    name: 'nexus_event_retries_total',
    help: 'Deliveries tried again.',
    figure: 'retries',
    label: 'group',
  },
  {
    type: 'counter',
    name: 'nexus_events_dead_lettered_total',
    help: 'Events that became dead letters.',
    figure: 'deadLettered',
    label: 'group',
  },
  {
    type: 'counter',
    name: 'nexus_events_replayed_total',
    help: 'Events replayed.',
    figure: 'replayed',
  },
  {
    type: 'counter',
    name: 'nexus_events_removed_total',
    help: 'Events removed by retention.',
    figure: 'removed',
  },
  {
    type: 'gauge',
    name: 'nexus_event_lag',
    help: 'Events stored that a group has not finished.',
    figure: 'lag',
    label: 'group',
  },
]

/** Adds the metrics of the given components; returns a function that removes them again. */
export function observeSources(registry: MetricsRegistry, sources: MetricsSources): () => void {
  const detach: (() => void)[] = []
  const detachAll = () => {
    for (const remove of detach) remove()
  }
  try {
    if (sources.pool) detach.push(observeFigures(registry, POOL, sources.pool))
    if (sources.cache) detach.push(observeFigures(registry, CACHE, sources.cache))
    if (sources.threads) detach.push(observeFigures(registry, THREADS, sources.threads))
    if (sources.bus) detach.push(observeFigures(registry, BUS, sources.bus))
  } catch (error) {
    detachAll()
    throw error
  }
  return detachAll
}

function observeFigures<Figures>(
  registry: MetricsRegistry,
  mappings: readonly Mapping<Figures>[],
  read: Source<Figures>,
): () => void {
  const metrics = Object.fromEntries(
    mappings.map(({ type, name, help, label }): [string, ObservedDefinition] => [
      name,
      { type, name, help, labelNames: label ? [label] : [] },
    ]),
  )
  return registry.observe({
    metrics,
    collect(observe: Readonly<Record<string, Observe>>) {
      const report = (figures: Figures) => {
        for (const { name, figure, label, labelValue } of mappings) {
          reportFigure(observe[name]!, figures[figure] as ByLabel | undefined, label, labelValue)
        }
      }
      const figures = read()
      if (!(figures instanceof Promise)) return report(figures)
      return figures.then(report)
    },
  })
}

function reportFigure(
  observe: Observe,
  figure: ByLabel | undefined,
  label: string | undefined,
  labelValue: string | undefined,
): void {
  if (typeof figure === 'number') observe(figure, label ? { [label]: labelValue } : undefined)
  else if (figure && label) {
    for (const [value, count] of Object.entries(figure)) observe(count, { [label]: value })
  }
}
