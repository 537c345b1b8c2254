import type { Counter } from '../kinds/counter.js'
import type { Histogram } from '../kinds/histogram.js'
import type { MetricsRegistry } from '../registry/registry.js'

/** From 10 µs, a warm call of a small handler, to the 30 s of a slow one. */
const SECONDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
  0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** From 64 KiB, less than one instance at rest, to 1 GiB. */
const BYTES = Array.from({ length: 15 }, (_, i) => 64 * 1024 * 2 ** i)

/** The metrics of executions. */
export interface ExecutionFamilies {
  executions: Counter<'function' | 'status' | 'cache_tier'>
  failures: Counter<'function' | 'code'>
  duration: Histogram<'function'>
  compile: Histogram<'function' | 'cache_tier'>
  queueWait: Histogram<'function'>
  memory: Histogram<'function'>
  hostCalls: Counter<'function'>
}

/**
 * Adds the metrics of executions to a registry.
 *
 * @throws {@link MetricsError} `NAME_TAKEN` when it has them already
 */
export function registerExecutionFamilies(registry: MetricsRegistry): ExecutionFamilies {
  return {
    executions: registry.counter({
      name: 'nexus_executions_total',
      help: 'Executions of functions, by how they ended and where their compiled code came from.',
      labelNames: ['function', 'status', 'cache_tier'],
    }),
    failures: registry.counter({
      name: 'nexus_execution_failures_total',
      help: 'Executions that failed, by error code.',
      labelNames: ['function', 'code'],
    }),
    duration: registry.histogram({
      name: 'nexus_execution_duration_seconds',
      help: 'Time handlers ran.',
      labelNames: ['function'],
      buckets: SECONDS,
    }),
    compile: registry.histogram({
      name: 'nexus_compile_duration_seconds',
      help: 'Time until compiled code was there, by where it came from; none: it was compiled.',
      labelNames: ['function', 'cache_tier'],
      buckets: SECONDS,
    }),
    queueWait: registry.histogram({
      name: 'nexus_queue_wait_seconds',
      help: 'Time executions waited for an instance.',
      labelNames: ['function'],
      buckets: SECONDS,
    }),
    memory: registry.histogram({
      name: 'nexus_execution_memory_bytes',
      help: 'Memory that the instance of an execution used.',
      labelNames: ['function'],
      buckets: BYTES,
    }),
    hostCalls: registry.counter({
      name: 'nexus_host_calls_total',
      help: 'Calls that handlers made to host functions.',
      labelNames: ['function'],
    }),
  }
}
