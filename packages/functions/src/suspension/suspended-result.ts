import type { CloudEvent, EventBus, HandlerResult } from '@nexus/event-bus'
import type { Suspension } from '@nexus/executor'
import {
  asJson,
  CALL,
  imageRemoval,
  keyOf,
  type StoredSuspension,
  storeImage,
} from './stored-suspension.js'
import { wakeEvent } from './suspension-events.js'

/** What a call leaves that was suspended, to be stored with the acknowledgement. */
export interface SuspendedCall {
  functionName: string
  callId: string
  image: Uint8Array
  suspension: Suspension
  event: Pick<CloudEvent, 'id' | 'source' | 'type' | 'traceparent'>
  key?: string | undefined
  /** What was stored of it before. */
  before?: StoredSuspension
}

/** What the bus stores of a call that stands still: image and wake-up. */
export async function suspendedResult(
  bus: EventBus,
  { functionName, callId, image, suspension, event, key, before }: SuspendedCall,
): Promise<Pick<HandlerResult, 'state' | 'schedule' | 'suspended'>> {
  const { id, source, type, traceparent } = event
  const stored: StoredSuspension = {
    leg: (before?.leg ?? 0) + 1,
    ...(await storeImage(bus, functionName, image)),
    suspension,
    event: before?.event ?? { id, source, type },
    ...(key !== undefined && { key }),
    ...(typeof traceparent === 'string' && { traceparent }),
  }
  const wake = wakeEvent(functionName, callId, stored)
  return {
    suspended: true,
    state: [
      { key: keyOf(CALL, callId), value: asJson(stored) },
      ...(before ? imageRemoval(before).filter(() => before.imageId !== stored.imageId) : []),
    ],
    ...(wake && { schedule: [wake] }),
  }
}
