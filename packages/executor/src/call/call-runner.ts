import { describeThrown } from '@nexus/diagnostics'
import type { MetricsCollector } from '@nexus/metrics'
import type { CalledCode, PreparedHandler } from '../compile/prepared-handler.js'
import type { Dispatcher } from '../dispatcher.js'
import { ExecutorError } from '../errors.js'
import type { SuspensionTimes } from '../figures/suspension-times.js'
import type { FrozenSandbox } from '../freeze/frozen-sandbox.js'
import { type GivenGlobals, givenGlobals } from '../host/given-globals.js'
import type { OpenCall } from '../host/guest-services.js'
import type { TurnBudget } from '../host/turn-budget.js'
import { costOfResult } from '../host/turn-cost.js'
import type { Fetcher } from '../net/fetcher.js'
import type { ResolvedCallOptions } from '../options.js'
import type { ErrorCode } from '../result/error-code.js'
import { describeFailure } from '../result/error-report.js'
import type {
  ExecutionError,
  ExecutionResult,
  FailedExecution,
  SuspendedExecution,
} from '../result/execution-result.js'
import { executionResultOf, resultOfNothing } from '../result/execution-result-of.js'
import { redactor } from '../result/redactor.js'
import type { Suspension } from '../suspension/suspension.js'
import type { SuspensionStores } from '../suspension/suspension-stores.js'
import type { ClaimedCall, Suspensions } from '../suspension/suspensions.js'
import {
  type CallRequest,
  type Evaluation,
  emptyRawResult,
  type HandlerCode,
  type RawResult,
} from './call.js'
import { engineFailure } from './guest-failure.js'
import { callRequest, eventJsonOf, type HandlerContext } from './handler-context.js'

const ANONYMOUS = '(anonymous)'
const RESUMED = { compileTimeUs: 0, cacheHit: true, cacheTier: 'memory' } as const
/** Failures that come before the handler, or instead of it. */
const NOT_RUN: ReadonlySet<ErrorCode> = new Set(['POOL_EXHAUSTED', 'INTERNAL_ERROR'])
/** A script is parsed where it runs, within the time of its call. */
const COMPILED_IN_CALL = { compileTimeUs: 0, cacheHit: false, cacheTier: 'none' } as const

/** What a {@link CallRunner} works with. */
export interface CallRunnerParts {
  dispatcher: Dispatcher
  /** The calls under way, for those that answer their host calls. */
  openCalls: Map<number, OpenCall>
  fetcher: Fetcher
  turns: TurnBudget
  metrics: MetricsCollector
  suspensionTimes: SuspensionTimes
  /** Where calls are kept that stand still. */
  suspensions: SuspensionStores
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
    const event = eventJsonOf(context)
    if ('failure' in event) {
      return this.#result<Value>(handler, emptyRawResult(event.failure), context, options)
    }
    const globals = context.globals && globalsFor(handler, context.globals)
    const id = ++this.#lastCallId
    const request = callRequest(id, handler.key, event.json, context, options, globals?.encoded)
    const suspensions = this.#parts.suspensions.of(context)
    const canSuspend = suspensions && options.isolation === 'pristine'
    const raw = await this.#submit(
      canSuspend ? { ...request, canSuspend } : request,
      handler.code,
      context,
      globals?.functions,
    )
    if (!raw.suspended || !suspensions) return this.#result<Value>(handler, raw, context, options)
    const { filename, sourceMap, source } = handler
    const { suspended } = raw
    return this.#suspend(handler, raw, context, options, () =>
      suspensions.save(
        suspended,
        { filename, sourceMap, source },
        context.functionName,
        context.suspension?.callId,
      ),
    )
  }

  /** Goes on with a call that was claimed. */
  async resume<Value>(
    suspensions: Suspensions,
    claimed: ClaimedCall,
    given: HandlerContext,
    options: ResolvedCallOptions,
  ): Promise<ExecutionResult<Value>> {
    const { callId, resumption, source, stored } = claimed
    const context = { ...given, functionName: given.functionName ?? stored.functionName }
    const functions = given.globals && givenGlobals(given.globals).functions
    const request = {
      ...callRequest(++this.#lastCallId, `suspended:${callId}`, 'null', context, options),
      resumption,
      canSuspend: true,
    }
    const raw = await this.#submit(request, undefined, context, functions)
    const code = { ...RESUMED, ...source }
    const { suspended, failure } = raw
    if (suspended) {
      return this.#suspend(code, raw, context, options, () =>
        suspensions.saveAgain(claimed, suspended),
      )
    }
    // Then nothing is known about the handler: the call may be resumed again.
    if (failure && NOT_RUN.has(failure.code)) await suspensions.release(claimed)
    else await suspensions.end(claimed)
    return this.#result<Value>(code, raw, context, options)
  }

  async #suspend(
    code: CalledCode,
    raw: RawResult,
    context: HandlerContext,
    options: ResolvedCallOptions,
    save: () => Promise<Suspension>,
  ): Promise<SuspendedExecution | FailedExecution> {
    let suspension: Suspension
    try {
      suspension = await save()
    } catch (error) {
      const why = `The suspended call was not stored: ${describeThrown(error).message}`
      const lost = { ...raw, events: [], failure: engineFailure(why) }
      return this.#result(code, lost, context, options) as FailedExecution
    }
    const { events, logs, metrics, error } = executionResultOf(code, raw, options, context.secrets)
    if (error) return { status: 'error', error, events, logs, metrics }
    const result = { status: 'suspended', suspension, events, logs, metrics } as const
    this.#record(context, result)
    return result
  }

  /**
   * Runs a script of a context.
   *
   * @param key the name under which the context is scheduled
   * @param globals those of the context: the values are handed over with its first script
   */
  async evaluate<Value>(
    key: string,
    evaluation: Evaluation,
    context: HandlerContext,
    options: ResolvedCallOptions,
    globals: GivenGlobals | undefined,
  ): Promise<{ result: ExecutionResult<Value>; sandbox: FrozenSandbox | undefined }> {
    const { filename, script, sandbox } = evaluation
    const given = sandbox ? undefined : globals?.encoded
    const request = {
      ...callRequest(++this.#lastCallId, key, 'null', context, options, given),
      evaluation,
    }
    const raw = await this.#submit(request, undefined, context, globals?.functions)
    const code = { ...COMPILED_IN_CALL, filename, source: script }
    return { result: this.#result<Value>(code, raw, context, options), sandbox: raw.sandbox }
  }

  /** The result of a call that does not get to a sandbox. */
  fail(context: HandlerContext, error: ExecutionError): FailedExecution {
    const result = resultOfNothing(error)
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

  /** Counts getting the code of a function ahead of its calls. */
  recordCompilation(functionName: string | undefined, cacheTier: string, durationUs: number): void {
    this.#parts.metrics.recordCompilation({
      functionName: functionName ?? ANONYMOUS,
      cacheTier,
      durationUs,
    })
  }

  async #submit(
    request: CallRequest,
    code: HandlerCode | undefined,
    { aroundHostCall, invoke, link, respond, functionName }: HandlerContext,
    functions: OpenCall['functions'],
  ): Promise<RawResult> {
    const { dispatcher, openCalls, fetcher, turns, suspensionTimes } = this.#parts
    const { id } = request
    openCalls.set(id, { aroundHostCall, invoke, link, respond, functions })
    let raw: RawResult
    try {
      raw = await dispatcher.submit(request, code)
    } finally {
      openCalls.delete(id)
      fetcher.callOver(id)
    }
    suspensionTimes.record(functionName ?? ANONYMOUS, raw)
    const turn = turns.take(id, costOfResult(raw))
    if (turn) await turn
    return raw
  }

  #result<Value>(
    code: CalledCode,
    raw: RawResult,
    context: HandlerContext,
    options: ResolvedCallOptions,
  ): ExecutionResult<Value> {
    const result = executionResultOf<Value>(code, raw, options, context.secrets)
    this.#record(context, result)
    return result
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

/** @throws {@link ExecutorError} `INVALID_OPTIONS` */
function globalsFor(
  { code }: PreparedHandler,
  globals: Readonly<Record<string, unknown>>,
): GivenGlobals {
  if (code instanceof Uint8Array) return givenGlobals(globals)
  throw new ExecutorError('INVALID_OPTIONS', 'context.globals: a WASI command has no globals')
}

function loadError(error: ExecutionError, filename: string): ExecutorError {
  const { location, sourceLines } = error
  const place = location ? `${location.file}:${location.line}:${location.column}` : filename
  const lines = sourceLines ? `\n\n${sourceLines}` : ''
  return new ExecutorError(error.code, `${place}: ${error.name}: ${error.message}${lines}`, {
    location,
  })
}
