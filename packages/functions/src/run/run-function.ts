import type { DeliveryContext, HandlerResult } from '@nexus/event-bus'
import { orderingKeyReader } from '@nexus/event-bus'
import { dataCheck } from '../data-check.js'
import type { CompiledFunction } from '../function-definition.js'
import { callIdOf } from '../suspension/call-id.js'
import { resumeFunction } from '../suspension/resume-function.js'
import { suspendedResult } from '../suspension/suspended-result.js'
import { resumeDataOf } from '../suspension/suspension-events.js'
import {
  type BoundFunction,
  callContext,
  FunctionFailure,
  handlerResult,
  type RunSetup,
  tell,
} from './function-call.js'
import type { RunRecord } from './run-record.js'

/**
 * Runs a function for one delivery in the sandbox, as a span of the event's trace.
 *
 * @returns what it emitted, to be committed together with the acknowledgement
 * @throws FunctionFailure when the function did
 */
export function runFunction(
  bound: BoundFunction,
  delivery: DeliveryContext,
  options: RunSetup,
): Promise<HandlerResult> {
  const { tracing } = options
  if (!tracing) return execute(bound, delivery, options)
  const call = { functionName: bound.definition.name, attempt: delivery.attempt }
  return tracing.process(delivery.event, call, () => execute(bound, delivery, options))
}

async function execute(
  bound: BoundFunction,
  delivery: DeliveryContext,
  setup: RunSetup,
): Promise<HandlerResult> {
  const { definition, limits, calls } = bound
  const { name, compiled, schema, orderingKey } = definition
  const { event, eventJson, replay } = delivery
  const goesOn = resumeDataOf(event, name)
  if (goesOn) return resumeFunction(bound, delivery, setup, goesOn)
  const mismatch = schema && dataCheck(schema)(event.data)
  if (mismatch !== undefined) return refuse(definition, delivery, setup, mismatch)
  const callId = callIdOf(event, name, replay)
  const context = { ...callContext(bound, delivery, setup, callId), eventJson }
  const result = await setup.runtime.executeCompiledHandler(compiled, context, limits)
  const stored = handlerResult(bound, delivery, setup, result)
  if (result.status !== 'suspended') return stored
  const image = calls.takeSuspended(callId)
  const key = orderingKey === undefined ? undefined : orderingKeyReader(orderingKey)(event)
  const { suspension } = result
  const call = { functionName: name, callId, image, suspension, delivery, key }
  return { ...stored, ...(await suspendedResult(setup.bus, call)) }
}

/** Ends an event whose data does not fit the schema: no further attempt can change that. */
function refuse(
  definition: CompiledFunction,
  delivery: DeliveryContext,
  options: RunSetup,
  mismatch: string,
): never {
  const code = 'SCHEMA_MISMATCH'
  const message = `the event does not fit the schema of the function: ${mismatch}`
  const record: RunRecord = { durationMs: 0, logs: [], error: { code, name: 'Error', message } }
  tell(definition, delivery, options, record, undefined)
  throw new FunctionFailure(code, message, false, record)
}
