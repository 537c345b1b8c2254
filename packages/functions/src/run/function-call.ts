import { AsyncResource } from 'node:async_hooks'
import type { DeliveryContext, EventInput, HandlerResult, StateChange } from '@nexus/event-bus'
import type {
  AroundHostCall,
  CallOptions,
  EmittedEvent,
  ExecutionMetrics,
  ExecutionResult,
  HandlerContext,
  LinkRequest,
} from '@nexus/executor'
import type { CompiledFunction } from '../function-definition.js'
import {
  type Invoke,
  type InvokingDelivery,
  invokeFromFunction,
} from '../invoke/invoke-from-function.js'
import { logAttempt } from '../log/log-attempt.js'
import type { ResolvedHostOptions } from '../options.js'
import type { Tracing } from '../otel/tracing.js'
import type { CallStore } from '../suspension/call-store.js'
import type { ResumeLinks } from '../suspension/links/resume-links.js'
import { boundedRecord } from './bounded-record.js'
import type { FunctionAttempt } from './function-attempt.js'
import { type RunRecord, recordOf } from './run-record.js'

/** A function that failed; the bus keeps `record` with the attempt and obeys `retryable`. */
export class FunctionFailure extends Error {
  override readonly name = 'FunctionFailure'

  constructor(
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    readonly record: RunRecord,
    /** What the function keeps when this makes a dead letter. */
    readonly stateWhenDead?: readonly StateChange[],
  ) {
    super(message)
  }
}

/** What functions run with. */
export interface RunSetup extends Omit<ResolvedHostOptions, 'links'> {
  /** What signs the links of `ctx.resumeUrl`. */
  links: ResumeLinks | undefined
  /** What `ctx.invoke` does. */
  invoke: Invoke
}

/** What a delivery runs. */
export interface BoundFunction {
  definition: CompiledFunction
  limits: CallOptions
  /** Holds images of its calls on their way to the bus. */
  calls: CallStore
}

/** What a function may do and see in one delivery, whether its call begins or goes on. */
export function callContext(
  bound: BoundFunction,
  delivery: DeliveryContext,
  setup: RunSetup,
  callId: string,
): HandlerContext {
  const { links } = setup
  return {
    ...functionContext(bound, delivery, setup),
    attempt: delivery.attempt,
    ...(links && { link: (asked: LinkRequest) => links.urlOf({ callId, ...asked }) }),
    suspension: { store: bound.calls, callId },
  }
}

/** What a function may do and see in each of its calls. */
export function functionContext(
  { definition, limits }: BoundFunction,
  delivery: InvokingDelivery,
  { tracing, invoke }: RunSetup,
): HandlerContext {
  const { name, capabilities, env, secrets } = definition
  return {
    functionName: name,
    capabilities,
    env,
    secrets,
    ...(tracing && tracedCall(tracing)),
    ...(capabilities?.some(isInvocation) && {
      invoke: invokeFromFunction(invoke, name, delivery, limits.timeoutMs),
    }),
  }
}

/**
 * What the bus stores of an attempt.
 *
 * @param stateWhenDead what the function keeps when a failure makes a dead letter
 * @throws FunctionFailure when the function failed
 */
export function handlerResult(
  { definition }: BoundFunction,
  delivery: DeliveryContext,
  setup: RunSetup,
  result: ExecutionResult,
  stateWhenDead?: readonly StateChange[],
): HandlerResult {
  const whole = recordOf(result)
  tell(definition, delivery, setup, whole, result.metrics)
  const record = boundedRecord(whole, setup.maxRecordBytes)
  if (result.error) {
    const { code, message, retryable } = result.error
    throw new FunctionFailure(code, message, retryable, record, stateWhenDead)
  }
  return { emit: emittedEvents(result, definition.name, setup), record }
}

/** The events that a call emitted, as they are published. */
export function emittedEvents(
  { events }: ExecutionResult,
  name: string,
  { tracing }: RunSetup,
): EventInput[] {
  const emit = events.map((emitted) => published(emitted, name))
  return tracing ? emit.map((event) => tracing.publish(event, (carrying) => carrying)) : emit
}

/** Whether a capability lets a function invoke others. */
function isInvocation(capability: string): boolean {
  return capability.startsWith('invoke:')
}

/** Logs an attempt that ended, and tells the listener. */
export function tell(
  { name }: CompiledFunction,
  { event: { id, source, type }, attempt }: Pick<FunctionAttempt, 'event' | 'attempt'>,
  { onAttempt, logger }: RunSetup,
  { durationMs, logs, error, suspension }: RunRecord,
  metrics: ExecutionMetrics | undefined,
): void {
  const told: FunctionAttempt = {
    function: name,
    event: { id, source, type },
    attempt,
    status: error ? 'error' : suspension ? 'suspended' : 'success',
    durationMs,
    logs,
    ...(error && { error }),
    ...(metrics && { metrics }),
  }
  logAttempt(logger, told)
  try {
    onAttempt?.(told)
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
