import { z } from 'zod'
import { MetricsError } from '../errors.js'
import { describeValue } from '../kinds/wrong-value.js'
import { parseOptions } from '../options.js'
import type { ExpositionFormat } from '../registry/format.js'
import { MetricsRegistry } from '../registry/registry.js'
import { type ExecutionFamilies, registerExecutionFamilies } from './execution-families.js'
import { averageDurationUs, cacheHitRate, executionStats } from './execution-stats.js'
import { FunctionRecord } from './function-record.js'
import type {
  CollectorStats,
  RecordedCompilation,
  RecordedExecution,
} from './recorded-execution.js'

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

/**
 * The figures of executions: how many ran, how they ended, how long they took, and how often compiled code came from a
 * cache. Who executes feeds it; other figures belong in its `registry`.
 *
 * @example
 * ```ts
 * const collector = new MetricsCollector()
 * collector.recordExecution(
 *   { functionName: 'order-total', status: 'success', cacheTier: 'memory', durationUs: 80 },
 *   true,
 * )
 * collector.avgExecutionTimeUs() // 80
 * collector.toPrometheus() // # HELP nexus_executions_total …
 * ```
 */
export class MetricsCollector {
  /** Where the metrics live. */
  readonly registry: MetricsRegistry
  readonly #maxFunctions: number
  readonly #functions = new Map<string, FunctionRecord>()
  readonly #families: ExecutionFamilies

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
  recordExecution(execution: RecordedExecution, success: boolean): void {
    expectFigures(execution)
    const { functionName } = execution
    const record = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    record.add(execution, success)
  }

  /**
   * Counts getting the compiled code of a function ahead of its executions. What an execution waited for its own code
   * is `compileTimeUs` of that execution.
   *
   * @throws {@link MetricsError} `INVALID_VALUE` when the duration is negative or not finite; nothing is counted
   */
  recordCompilation({ functionName, cacheTier, durationUs }: RecordedCompilation): void {
    expectFigures({ functionName, cacheTier, durationUs, status: '' })
    const record = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    record.addCompilation(cacheTier, durationUs)
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

  /** The registry as text in one go; `registry.scrape()` does it in chunks. */
  toPrometheus(options?: { format?: ExpositionFormat }): string {
    return this.registry.toPrometheus(options)
  }

  /** Takes the collector's metrics out of the registry; its stats stay readable. */
  close(): void {
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
function expectFigures(execution: RecordedExecution): void {
  const { durationUs, compileTimeUs, queueWaitUs, memoryUsedBytes, hostCalls } = execution
  const isRight =
    durationUs !== undefined &&
    isFigure(durationUs) &&
    isFigure(compileTimeUs) &&
    isFigure(queueWaitUs) &&
    isFigure(memoryUsedBytes) &&
    isFigure(hostCalls)
  if (!isRight) throw wrongFigure(execution)
}

function isFigure(value: number | undefined): boolean {
  return (
    value === undefined ||
    (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY)
  )
}

function wrongFigure(execution: RecordedExecution): MetricsError {
  const { durationUs } = execution
  const figure =
    durationUs === undefined ? 'durationUs' : FIGURES.find((name) => !isFigure(execution[name]))!
  const value = execution[figure]
  return new MetricsError(
    'INVALID_VALUE',
    `Expected ${figure} of an execution of ${execution.functionName} to be a finite number ≥ 0, got ${describeValue(value)}.`,
    { figure, value, functionName: execution.functionName },
  )
}
