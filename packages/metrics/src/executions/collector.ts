import { z } from 'zod'
import { MetricsError } from '../errors.js'
import { parseOptions } from '../options.js'
import type { ExpositionFormat } from '../registry/format.js'
import { MetricsRegistry } from '../registry/registry.js'
import { type MetricsSources, observeSources } from '../sources.js'
import { type ExecutionFamilies, registerExecutionFamilies } from './execution-families.js'
import type { CollectorStats, ExecutionMetrics } from './execution-metrics.js'
import { averageDurationUs, cacheHitRate, executionStats } from './execution-stats.js'
import { FunctionRecord } from './function-record.js'

/** Options of a {@link MetricsCollector}. */
export interface MetricsCollectorOptions {
  /**
   * Where the metrics live, to share one scrape with metrics of your own.
   * @default a registry of its own
   */
  registry?: MetricsRegistry | undefined
  /**
   * Functions told apart; the executions of further ones count as `(other)`.
   * @default 1_000
   */
  maxFunctions?: number | undefined
}

interface ResolvedCollectorOptions {
  registry?: MetricsRegistry | undefined
  maxFunctions: number
}

const collectorOptions = z.strictObject({
  registry: z.instanceof(MetricsRegistry).optional(),
  maxFunctions: z.number().int().positive().default(1_000),
}) satisfies z.ZodType<ResolvedCollectorOptions, MetricsCollectorOptions>

/** The function name that stands for all those past `maxFunctions`. */
const OTHER = '(other)'

/** The figures of a runtime that executes functions: what ran, how long it took, and what its parts report. */
export class MetricsCollector {
  /** Where the metrics live. */
  readonly registry: MetricsRegistry
  readonly #maxFunctions: number
  readonly #functions = new Map<string, FunctionRecord>()
  readonly #families: ExecutionFamilies
  readonly #detach: (() => void)[] = []

  /** @throws {@link MetricsError} `INVALID_OPTIONS`, or `NAME_TAKEN` when the registry has a collector already */
  constructor(options: MetricsCollectorOptions = {}) {
    const { registry, maxFunctions } = parseOptions('MetricsCollector', collectorOptions, options)
    this.registry = registry ?? new MetricsRegistry()
    this.#maxFunctions = maxFunctions
    this.#families = registerExecutionFamilies(this.registry)
  }

  /**
   * Counts one execution.
   *
   * @param success whether the function did what it was called for
   * @throws {@link MetricsError} `INVALID_VALUE` when a figure is negative or not finite; nothing is counted
   */
  recordExecution(execution: ExecutionMetrics, success: boolean): void {
    expectFigures(execution)
    const { functionName } = execution
    const record = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    record.add(execution, success)
  }

  /** Share of executions whose compiled code came from a cache, 0 to 1; 0 while nothing ran. */
  cacheHitRate(): number {
    return cacheHitRate([...this.#functions.values()])
  }

  /** Average duration of all executions in microseconds; 0 while nothing ran. */
  avgExecutionTimeUs(): number {
    return averageDurationUs([...this.#functions.values()])
  }

  /** Everything counted, in total and by function, since the collector was made. */
  getStats(): CollectorStats {
    return {
      totals: executionStats([...this.#functions.values()]),
      functions: Object.fromEntries(
        Array.from(this.#functions, ([name, record]) => [name, executionStats([record])]),
      ),
      maxFunctions: this.#maxFunctions,
    }
  }

  /**
   * Adds the figures of other components, read at each scrape. What a source leaves out is absent.
   *
   * @returns a function that removes them again
   * @throws {@link MetricsError} `NAME_TAKEN` when a source of that kind is attached already
   */
  observe(sources: MetricsSources): () => void {
    const detach = observeSources(this.registry, sources)
    this.#detach.push(detach)
    return detach
  }

  /** The registry as text in one go; `registry.scrape()` does it in chunks. */
  toPrometheus(options?: { format?: ExpositionFormat }): string {
    return this.registry.toPrometheus(options)
  }

  /** Takes the collector's metrics and sources out of the registry; its stats stay readable. */
  close(): void {
    for (const detach of this.#detach.splice(0)) detach()
    for (const metric of Object.values(this.#families)) this.registry.remove(metric.name)
  }

  #addFunction(name: string): FunctionRecord {
    const known = this.#functions.size < this.#maxFunctions ? name : OTHER
    const record = this.#functions.get(known) ?? new FunctionRecord(this.#families, known)
    this.#functions.set(known, record)
    return record
  }
}

const FIGURES = [
  'durationUs',
  'compileTimeUs',
  'queueWaitUs',
  'memoryUsedBytes',
  'hostCalls',
] as const

/** Spelled out: this runs with every call, and a loop over names costs a third of recording it. */
function expectFigures(execution: ExecutionMetrics): void {
  const { durationUs, compileTimeUs, queueWaitUs, memoryUsedBytes, hostCalls } = execution
  const isRight =
    isFigure(durationUs) &&
    isFigure(compileTimeUs) &&
    isFigure(queueWaitUs) &&
    isFigure(memoryUsedBytes) &&
    isFigure(hostCalls)
  if (!isRight) throw wrongFigure(execution)
}

function isFigure(value: number | undefined): boolean {
  return value === undefined || (value >= 0 && value < Number.POSITIVE_INFINITY)
}

function wrongFigure(execution: ExecutionMetrics): MetricsError {
  const figure = FIGURES.find((name) => !isFigure(execution[name]))!
  const value = execution[figure]
  return new MetricsError(
    'INVALID_VALUE',
    `Expected ${figure} of an execution of ${execution.functionName} to be a finite number ≥ 0, got ${value}.`,
    { figure, value, functionName: execution.functionName },
  )
}
