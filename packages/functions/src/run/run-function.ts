import { AsyncResource } from 'node:async_hooks'
import type { DeliveryContext, EventInput, HandlerResult } from '@nexus/event-bus'
import type { AroundHostCall, CallOptions, EmittedEvent, ExecutionMetrics } from '@nexus/executor'
import { dataCheck } from '../data-check.js'
import type { CompiledFunction } from '../function-definition.js'
import type { ResolvedHostOptions } from '../options.js'
import type { Tracing } from '../otel/tracing.js'
import { boundedRecord } from './bounded-record.js'
import { type RunRecord, recordOf } from './run-record.js'

/** A function that failed; the bus keeps `record` with the attempt and obeys `retryable`. */
class FunctionFailure extends Error {
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

/** What a delivery runs. */
export interface BoundFunction {
  definition: CompiledFunction
  limits: CallOptions
}

/**
 * Runs a function for one delivery in the sandbox, as a span of the event's trace.
 *
 * @returns what it emitted, to be committed together with the acknowledgement
 * @throws FunctionFailure when the function did
 */
export function runFunction(
  bound: BoundFunction,
  delivery: DeliveryContext,
  options: ResolvedHostOptions,
): Promise<HandlerResult> {
  const { tracing } = options
  if (!tracing) return execute(bound, delivery, options)
  const call = { functionName: bound.definition.name, attempt: delivery.attempt }
  return tracing.process(delivery.event, call, () => execute(bound, delivery, options))
}

async function execute(
  { definition, limits }: BoundFunction,
  delivery: DeliveryContext,
  options: ResolvedHostOptions,
): Promise<HandlerResult> {
  const { name, compiled, capabilities, env, secrets, schema } = definition
  const { tracing, runtime } = options
  const { event, eventJson, attempt } = delivery
  const mismatch = schema && dataCheck(schema)(event.data)
  if (mismatch !== undefined) return refuse(definition, delivery, options, mismatch)
  const result = await runtime.executeCompiledHandler(
    compiled,
    {
      eventJson,
      functionName: name,
      capabilities,
      env,
      secrets,
      attempt,
      ...(tracing && tracedCall(tracing)),
    },
    limits,
  )
  const whole = recordOf(result)
  tell(definition, delivery, options, whole, result.metrics)
  const record = boundedRecord(whole, options.maxRecordBytes)
  if (result.error) {
    const { code, message, retryable } = result.error
    throw new FunctionFailure(code, message, retryable, record)
  }
  const emit = result.events.map((emitted) => published(emitted, name))
  if (!tracing) return { emit, record }
  return { emit: emit.map((event) => tracing.publish(event, (carrying) => carrying)), record }
}

/** Ends an event whose data does not fit the schema: no further attempt can change that. */
function refuse(
  definition: CompiledFunction,
  delivery: DeliveryContext,
  options: ResolvedHostOptions,
  mismatch: string,
): never {
  const code = 'SCHEMA_MISMATCH'
  const message = `the event does not fit the schema of the function: ${mismatch}`
  const record: RunRecord = { durationMs: 0, logs: [], error: { code, name: 'Error', message } }
  tell(definition, delivery, options, record, undefined)
  throw new FunctionFailure(code, message, false, record)
}

function tell(
  { name }: CompiledFunction,
  { event: { id, source, type }, attempt }: DeliveryContext,
  { onAttempt }: ResolvedHostOptions,
  { durationMs, logs, error }: RunRecord,
  metrics: ExecutionMetrics | undefined,
): void {
  try {
    onAttempt?.({
      function: name,
      event: { id, source, type },
      attempt,
      status: error ? 'error' : 'success',
      durationMs,
      logs,
      ...(error && { error }),
      ...(metrics && { metrics }),
    })
  } catch {
    // A listener that fails must not make the function run again.
  }
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

/** The function chooses what its event says, not its source, nor the id under which it is stored once. */
function published({ type, data, attributes }: EmittedEvent, name: string): EventInput {
  const { id: _id, specversion: _version, ...chosen } = attributes ?? {}
  // An event has one payload: no data beside bytes.
  const payload = data === null && chosen.data_base64 !== undefined ? {} : { data }
  return { ...chosen, data: undefined, ...payload, type, source: `/functions/${name}` }
}
