import type { DeliveryContext, EventBus, HandlerResult, StateChange } from '@nexus/event-bus'
import { ExecutorError, type ResumeOutcome, type SuspensionWait } from '@nexus/executor'
import {
  type BoundFunction,
  callContext,
  FunctionFailure,
  handlerResult,
  type RunSetup,
} from '../run/function-call.js'
import { isCallId } from './call-id.js'
import { eventWaits } from './events/event-wait.js'
import { findEvent } from './events/find-event.js'
import { callRemoval, removeWaiting } from './events/waiting-calls.js'
import {
  asJson,
  CALL,
  FAILED,
  keyOf,
  readCall,
  readImage,
  type StoredSuspension,
} from './stored-suspension.js'
import { suspendedResult } from './suspended-result.js'
import {
  firstDue,
  laterWake,
  type ResumeData,
  resumeEvent,
  resumeId,
  waitIdOf,
} from './suspension-events.js'

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
  const { callId, leg } = data ?? {}
  if (!isCallId(callId)) return lost(bound, 'the event names no call')
  if (data.kind !== 'resume') return wake(bound, setup, data)
  const stored = await readCall(setup.bus, name, callId, [CALL, FAILED])
  const isMeant = stored?.leg === leg && delivery.event.id === resumeId(callId, leg)
  if (!isMeant) return lost(bound, 'it has gone on, has ended, or never was')
  return goOn(bound, delivery, setup, data, stored)
}

/**
 * Asks for the resume of a call with an event that came, or whose first wait is due; one that was resumed before stays as it
 * is. Where a wake-up is stored before its call, it may come first: then it comes again.
 */
async function wake(
  { calls, definition: { name } }: BoundFunction,
  { bus, clock }: RunSetup,
  data: ResumeData,
): Promise<HandlerResult> {
  const { kind, callId, leg, imageId } = data
  const current = async () => {
    const found = await readCall(bus, name, callId)
    return found?.leg === leg && found.imageId === imageId ? found : undefined
  }
  let stored = await current()
  if (!stored && !(await isStored(bus, name, data))) {
    return { schedule: [laterWake(name, data, clock.now())] }
  }
  stored ??= await current()
  if (!stored) return {}
  const { wakes } = stored.suspension
  for (const wait of eventWaits(wakes)) {
    const waitId = waitIdOf(wait)
    const found = await findEvent(bus, name, wait, stored.positions![waitId]!)
    if (found)
      return { schedule: [{ event: resumeEvent(name, callId, stored, waitId, { found }) }] }
  }
  const due = kind === 'wake' ? firstDue(wakes) : undefined
  if (due === undefined) return {}
  if (due.kind !== 'sleep') calls.counts.expired += 1
  return {
    schedule: [{ event: resumeEvent(name, callId, stored, waitIdOf(due), outcomeOf(due)) }],
  }
}

/** Whether the delivery has ended that stores a call, or will not: it is there from then on, or never. */
async function isStored(bus: EventBus, name: string, { by }: ResumeData): Promise<boolean> {
  const details = by && (await bus.get(by.id, by.source))
  const status = details?.deliveries.find(({ group }) => group === name)?.status
  return status !== 'pending' && status !== 'running' && status !== 'retrying'
}

async function goOn(
  bound: BoundFunction,
  delivery: DeliveryContext,
  setup: RunSetup,
  data: ResumeData,
  stored: StoredSuspension,
): Promise<HandlerResult> {
  const { callId, waitId } = data
  const { calls, definition, limits } = bound
  const { name } = definition
  const { bus, runtime } = setup
  const image = await readImage(bus, name, stored)
  if (image === undefined) return lost(bound, 'its image is gone')
  const asFailed = [
    { key: keyOf(CALL, callId) },
    ...removeWaiting(callId, stored),
    { key: keyOf(FAILED, callId), value: asJson(stored) },
  ]
  await calls.save(callId, image)
  try {
    const context = callContext(bound, delivery, setup, callId)
    const outcome = data.outcome ?? (await eventAsOutcome(bus, data))
    const result = await runtime.resumeHandler(`${callId}.${waitId}`, outcome, context, limits)
    calls.counts.resumed += 1
    const settled = handlerResult(bound, delivery, setup, result, asFailed)
    if (result.status !== 'suspended') {
      return { ...settled, state: callRemoval(callId, stored) }
    }
    const again = await suspendedResult(bus, {
      functionName: name,
      callId,
      image: calls.takeSuspended(callId),
      suspension: result.suspension,
      delivery,
      key: stored.key,
      before: stored,
    })
    return { ...settled, ...again, state: [{ key: keyOf(FAILED, callId) }, ...again.state!] }
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

/** The event that came, read from the log: a resume holds no copy, so that it is erased in one place. */
async function eventAsOutcome(bus: EventBus, { found }: ResumeData): Promise<ResumeOutcome> {
  const stored = found && (await bus.get(found.id, found.source))
  if (stored) return { success: true, value: stored.event }
  const message = 'The event that was waited for is not in the log any more'
  return { success: false, error: { name: 'Error', message, code: 'EVENT_GONE' } }
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
