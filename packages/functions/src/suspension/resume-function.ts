import type { DeliveryContext, HandlerResult, StateChange } from '@nexus/event-bus'
import { ExecutorError, type ResumeOutcome, type SuspensionWait } from '@nexus/executor'
import {
  type BoundFunction,
  callContext,
  FunctionFailure,
  handlerResult,
  type RunSetup,
} from '../run/function-call.js'
import { isCallId } from './call-id.js'
import {
  asJson,
  CALL,
  FAILED,
  imageRemoval,
  keyOf,
  readCall,
  readImage,
  type StoredSuspension,
} from './stored-suspension.js'
import { suspendedResult } from './suspended-result.js'
import { firstDue, type ResumeData, resumeEvent, resumeId } from './suspension-events.js'

/**
 * Goes on with a call that stands still, for the delivery of its resume; a wake-up asks for one.
 *
 * @throws FunctionFailure when the call cannot go on, or its function failed
 */
export async function resumeFunction(
  bound: BoundFunction,
  delivery: DeliveryContext,
  setup: RunSetup,
  data: ResumeData,
): Promise<HandlerResult> {
  const { name } = bound.definition
  const { callId, leg, imageId } = data ?? {}
  if (!isCallId(callId)) return lost(bound, 'the event names no call')
  if (data.kind === 'wake') {
    const stored = await readCall(setup.bus, name, callId)
    const isCurrent = stored?.leg === leg && stored.imageId === imageId
    return isCurrent ? wake(bound, callId, stored) : {}
  }
  const stored = await readCall(setup.bus, name, callId, [CALL, FAILED])
  const isMeant = stored?.leg === leg && delivery.event.id === resumeId(callId, leg)
  if (!isMeant) return lost(bound, 'it has gone on, has ended, or never was')
  return goOn(bound, delivery, setup, data, stored)
}

/** Asks for the resume of a call whose first wait is due; one that was resumed before stays as it is. */
function wake(
  { calls, definition }: BoundFunction,
  callId: string,
  stored: StoredSuspension,
): HandlerResult {
  const due = firstDue(stored.suspension.wakes)
  if (due === undefined) return {}
  if (due.kind !== 'sleep') calls.counts.expired += 1
  const event = resumeEvent(definition.name, callId, stored, waitIdOf(due), outcomeOf(due))
  return { schedule: [{ event }] }
}

async function goOn(
  bound: BoundFunction,
  delivery: DeliveryContext,
  setup: RunSetup,
  { callId, waitId, outcome }: ResumeData,
  stored: StoredSuspension,
): Promise<HandlerResult> {
  const { calls, definition, limits } = bound
  const { name } = definition
  const { bus, runtime } = setup
  const image = await readImage(bus, name, stored)
  if (image === undefined) return lost(bound, 'its image is gone')
  const gone = [{ key: keyOf(CALL, callId) }, { key: keyOf(FAILED, callId) }]
  const asFailed = [
    { key: keyOf(CALL, callId) },
    { key: keyOf(FAILED, callId), value: asJson(stored) },
  ]
  await calls.save(callId, image)
  try {
    const context = callContext(bound, delivery, setup, callId)
    const result = await runtime.resumeHandler(`${callId}.${waitId}`, outcome!, context, limits)
    calls.counts.resumed += 1
    const settled = handlerResult(bound, delivery, setup, result, asFailed)
    if (result.status !== 'suspended') {
      return { ...settled, state: [...gone, ...imageRemoval(stored)] }
    }
    const again = await suspendedResult(bus, {
      functionName: name,
      callId,
      image: calls.takeSuspended(callId),
      suspension: result.suspension,
      event: delivery.event,
      key: stored.key,
      before: stored,
    })
    return { ...settled, ...again, state: [gone[1]!, ...(again.state ?? [])] }
  } catch (error) {
    if (!(error instanceof ExecutorError) || error.code === 'SHUT_DOWN') throw error
    return refused(bound, error, asFailed)
  } finally {
    calls.take(callId)
  }
}

/** What a wait gives its handler when it is due. */
function outcomeOf({ kind, name }: SuspensionWait): ResumeOutcome {
  if (kind === 'sleep') return { success: true }
  const message = `The suspension ${name} was not resumed in time`
  return { success: false, error: { name: 'TimeoutError', message, code: 'TIMEOUT' } }
}

function waitIdOf({ suspensionId }: SuspensionWait): number {
  return Number(suspensionId.slice(suspensionId.lastIndexOf('.') + 1))
}

function lost(bound: BoundFunction, why: string): never {
  const message = `The call cannot go on: ${why}`
  return refused(bound, { code: 'SUSPENSION_NOT_FOUND', message })
}

/** Ends a resume that cannot go on, for good. */
function refused(
  { calls }: BoundFunction,
  { code, message }: { code: string; message: string },
  whenDead?: readonly StateChange[],
): never {
  calls.counts.refused += 1
  const record = { durationMs: 0, logs: [], error: { code, name: 'Error', message } }
  throw new FunctionFailure(code, message, false, record, whenDead)
}
