import { AsyncResource } from 'node:async_hooks'
import type { EventInput, HandlerDelivery, HandlerOutcome } from '@nexus/event-bus'
import type { AroundHostCall, EmittedEvent, ExecutionMetrics, WasmRuntime } from '@nexus/executor'
import type { Tracing } from '@nexus/metrics/otel'
import type { ActivityListener } from '../activity.js'
import type { LoadedFunction } from './load-functions.js'
import { type RunRecord, recordOf } from './run-record.js'

/** A function that failed; the bus keeps `record` with the attempt and heeds `retryable`. */
export class FunctionFailure extends Error {
  override readonly name = 'FunctionFailure'

  constructor(
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    readonly record: RunRecord,
  ) {
    super(message)
  }
}

/** What runs functions, and who hears of it. */
export interface RunParts {
  wasm: WasmRuntime
  onActivity: ActivityListener
  onExecution: (name: string, metrics: ExecutionMetrics, failed: boolean) => void
  tracing: Tracing | undefined
}

/**
 * Runs a function for one delivery in the sandbox, as a span of the event's trace.
 *
 * @returns what it emitted, to be committed together with the acknowledgement
 * @throws FunctionFailure when the function did
 */
export function runFunction(
  loaded: LoadedFunction,
  delivery: HandlerDelivery,
  parts: RunParts,
): Promise<HandlerOutcome> {
  const { tracing } = parts
  if (!tracing) return execute(loaded, delivery, parts)
  const call = { functionName: loaded.config.name, attempt: delivery.attempt }
  return tracing.process(delivery.event, call, () => execute(loaded, delivery, parts))
}

async function execute(
  { config, compiled }: LoadedFunction,
  { event, attempt }: HandlerDelivery,
  { wasm, onActivity, onExecution, tracing }: RunParts,
): Promise<HandlerOutcome> {
  const { name, capabilities, env, secrets, timeoutMs, memoryLimitBytes, isolation } = config
  const result = await wasm.executeCompiledHandler(
    compiled,
    {
      event,
      functionName: name,
      capabilities,
      env,
      secrets,
      attempt,
      ...(tracing && tracedCall(tracing)),
    },
    { timeoutMs, memoryLimitBytes, isolation },
  )
  onExecution(name, result.metrics, result.error !== undefined)
  const record = recordOf(result)
  onActivity({
    kind: 'run',
    function: name,
    event: { id: event.id, type: event.type },
    attempt,
    status: result.error ? 'error' : 'success',
    durationMs: record.durationMs,
    logs: record.logs,
    ...(record.error && { error: record.error }),
  })
  if (result.error) {
    throw new FunctionFailure(
      result.error.code,
      result.error.message,
      result.error.retryable,
      record,
    )
  }
  const emit = result.events.map((emitted) => published(emitted, name))
  if (!tracing) return { emit, record }
  return { emit: emit.map((event) => tracing.publish(event, (carrying) => carrying)), record }
}

/** What the sandbox needs to go on with the span that is active now: its answers to the handler come from elsewhere. */
function tracedCall(tracing: Tracing) {
  const inSpan = AsyncResource.bind((name: string, run: () => Promise<unknown>) =>
    tracing.hostCall(name, {}, run),
  )
  return {
    traceId: tracing.traceId(),
    aroundHostCall: inSpan as AroundHostCall,
  }
}

/** The function chooses what its event says, not who said it, nor under which id it is stored once. */
function published({ type, data, attributes }: EmittedEvent, name: string): EventInput {
  const { id: _id, specversion: _version, ...chosen } = attributes ?? {}
  return { ...chosen, type, data, source: `/functions/${name}` }
}
