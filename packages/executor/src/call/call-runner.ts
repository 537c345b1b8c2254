import type { MetricsCollector } from '@nexus/metrics'
import type { PreparedHandler } from '../compile/prepared-handler.js'
import type { Dispatcher } from '../dispatcher.js'
import { ExecutorError } from '../errors.js'
import type { AroundHostCall } from '../host/guest-services.js'
import type { TurnBudget } from '../host/turn-budget.js'
import type { Fetcher } from '../net/fetcher.js'
import type { ResolvedCallOptions } from '../options.js'
import { describeFailure } from '../result/error-report.js'
import type { ExecutionError, ExecutionResult } from '../result/execution-result.js'
import { executionResultOf, resultOfFailedCompile } from '../result/execution-result-of.js'
import { redactor } from '../result/redactor.js'
import { emptyRawResult, type RawResult } from './call.js'
import { callRequest, eventJsonOf, type HandlerContext } from './handler-context.js'

const ANONYMOUS = '(anonymous)'

/** What a {@link CallRunner} works with. */
export interface CallRunnerParts {
  dispatcher: Dispatcher
  /** The calls under way; `aroundHostCall` of each, for those that answer their host calls. */
  openCalls: Map<number, AroundHostCall | undefined>
  fetcher: Fetcher
  turns: TurnBudget
  metrics: MetricsCollector
}

/** Makes one call of a prepared handler into one result, and records it. */
export class CallRunner {
  readonly #parts: CallRunnerParts
  #lastCallId = 0
  #total = 0
  #failed = 0

  constructor(parts: CallRunnerParts) {
    this.#parts = parts
  }

  /** Calls that ended, and how many of them failed. */
  get executions(): { total: number; failed: number } {
    return { total: this.#total, failed: this.#failed }
  }

  async run<Value>(
    handler: PreparedHandler,
    context: HandlerContext,
    options: ResolvedCallOptions,
  ): Promise<ExecutionResult<Value>> {
    const id = ++this.#lastCallId
    const { dispatcher, openCalls, fetcher } = this.#parts
    const event = eventJsonOf(context)
    let raw: RawResult
    if ('failure' in event) raw = emptyRawResult(event.failure)
    else {
      openCalls.set(id, context.aroundHostCall)
      try {
        const request = callRequest(id, handler.key, event.json, context, options)
        raw = await dispatcher.submit(request, handler.code)
      } finally {
        openCalls.delete(id)
        fetcher.callOver(id)
      }
    }
    const turn = this.#parts.turns.take(id, raw.steps)
    if (turn) await turn
    const result = executionResultOf<Value>(handler, raw, options, context.secrets)
    this.#record(context, result)
    return result
  }

  /** The result of a call whose handler does not compile. */
  failedToCompile<Value>(context: HandlerContext, error: ExecutionError): ExecutionResult<Value> {
    const result = resultOfFailedCompile<Value>(error)
    this.#record(context, result)
    return result
  }

  /**
   * Gets a handler ready on a thread, so that a mistake shows now.
   *
   * @throws {@link ExecutorError} why its module failed
   */
  async load(handler: PreparedHandler, options: ResolvedCallOptions): Promise<void> {
    const { failure } = await this.#parts.dispatcher.submit(
      callRequest(++this.#lastCallId, handler.key, undefined, { event: undefined }, options),
      handler.code,
    )
    if (failure) {
      throw loadError(describeFailure(failure, handler, redactor(undefined)), handler.filename)
    }
  }

  #record(
    { functionName, traceId }: HandlerContext,
    { status, error, metrics }: ExecutionResult,
  ): void {
    this.#total++
    if (error) this.#failed++
    this.#parts.metrics.recordExecution(
      {
        functionName: functionName ?? ANONYMOUS,
        status,
        cacheTier: metrics.cacheTier,
        durationUs: metrics.durationUs,
        queueWaitUs: metrics.queueWaitUs,
        memoryUsedBytes: metrics.memoryUsedBytes,
        hostCalls: metrics.hostCalls,
        ...(metrics.compileTimeUs > 0 && { compileTimeUs: metrics.compileTimeUs }),
        ...(error && { errorCode: error.code }),
        ...(traceId !== undefined && { traceId }),
      },
      !error,
    )
  }
}

function loadError(error: ExecutionError, filename: string): ExecutorError {
  const { location, sourceLines } = error
  const place = location ? `${location.file}:${location.line}:${location.column}` : filename
  const lines = sourceLines ? `\n\n${sourceLines}` : ''
  return new ExecutorError(error.code, `${place}: ${error.name}: ${error.message}${lines}`, {
    location,
  })
}
