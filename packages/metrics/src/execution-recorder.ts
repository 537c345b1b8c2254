import type { BoundCounter, Counter } from './counter.js'
import { type ExecutionMetrics, failureCode } from './execution-metrics.js'
import type { BoundHistogram, Histogram } from './histogram.js'
import type { MetricsRegistry } from './registry.js'

/** From 10 µs, a warm call of a small handler, to the 30 s of a slow one. */
const SECONDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
  0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** From 64 KiB, less than one instance at rest, to 1 GiB. */
const BYTES = Array.from({ length: 15 }, (_, i) => 64 * 1024 * 2 ** i)

interface ExecutionFamilies {
  executions: Counter<'function' | 'status' | 'cache_tier'>
  failures: Counter<'function' | 'code'>
  duration: Histogram<'function'>
  compile: Histogram<'function'>
  queueWait: Histogram<'function'>
  memory: Histogram<'function'>
  hostCalls: Counter<'function'>
}

/** Records the executions of one function through bound handles. */
export class ExecutionRecorder {
  readonly #families: ExecutionFamilies
  readonly #labels: { function: string }
  readonly #duration: BoundHistogram
  readonly #executions = new Map<string, Map<string, BoundCounter>>()
  #compile: BoundHistogram | undefined
  #queueWait: BoundHistogram | undefined
  #memory: BoundHistogram | undefined
  #hostCalls: BoundCounter | undefined

  constructor(families: ExecutionFamilies, functionName: string) {
    this.#families = families
    this.#labels = { function: functionName }
    this.#duration = families.duration.bind(this.#labels)
  }

  /** Adds the metrics of executions to a registry. */
  static register(registry: MetricsRegistry): ExecutionFamilies {
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
        help: 'Time spent compiling handlers.',
        labelNames: ['function'],
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

  record(execution: ExecutionMetrics, success: boolean): void {
    const { durationUs, compileTimeUs, queueWaitUs, memoryUsedBytes, hostCalls, traceId } =
      execution
    const families = this.#families
    const labels = this.#labels
    this.#executionsOf(execution).inc()
    if (!success) families.failures.inc({ ...labels, code: failureCode(execution) })
    this.#duration.observe(
      durationUs / 1e6,
      traceId?.length === 32 ? { trace_id: traceId } : undefined,
    )
    if (compileTimeUs) {
      this.#compile ??= families.compile.bind(labels)
      this.#compile.observe(compileTimeUs / 1e6)
    }
    if (queueWaitUs !== undefined) {
      this.#queueWait ??= families.queueWait.bind(labels)
      this.#queueWait.observe(queueWaitUs / 1e6)
    }
    if (memoryUsedBytes !== undefined) {
      this.#memory ??= families.memory.bind(labels)
      this.#memory.observe(memoryUsedBytes)
    }
    if (hostCalls !== undefined) {
      this.#hostCalls ??= families.hostCalls.bind(labels)
      this.#hostCalls.inc(hostCalls)
    }
  }

  #executionsOf({ status, cacheTier }: ExecutionMetrics): BoundCounter {
    const known = this.#executions.get(status)?.get(cacheTier)
    if (known) return known
    const bound = this.#families.executions.bind({
      ...this.#labels,
      status,
      cache_tier: cacheTier,
    })
    const tiers = this.#executions.get(status) ?? new Map<string, BoundCounter>()
    this.#executions.set(status, tiers.set(cacheTier, bound))
    return bound
  }
}
