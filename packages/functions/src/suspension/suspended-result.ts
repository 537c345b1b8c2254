import type { DeliveryContext, EventBus, HandlerResult } from '@nexus/event-bus'
import type { Suspension } from '@nexus/executor'
import { eventWaits } from './events/event-wait.js'
import { lookedAt, positionOf } from './events/find-event.js'
import { addWaiting, callRemoval, removeWaiting } from './events/waiting-calls.js'
import {
  asJson,
  CALL,
  imageRemoval,
  keyOf,
  type StoredSuspension,
  storeImage,
} from './stored-suspension.js'
import { waitIdOf, wakeEvents } from './suspension-events.js'

/** What a call leaves that was suspended, to be stored with the acknowledgement. */
export interface SuspendedCall {
  functionName: string
  callId: string
  image: Uint8Array
  suspension: Suspension
  /** By which this part of the call ran. */
  delivery: Pick<DeliveryContext, 'event' | 'sequence'>
  key?: string | undefined
  /** What was stored of it before. */
  before?: StoredSuspension
}

/** What the bus stores of a call that stands still: image and wake-ups. */
export async function suspendedResult(
  bus: EventBus,
  call: SuspendedCall,
): Promise<Pick<HandlerResult, 'state' | 'schedule' | 'suspended'>> {
  const { functionName, callId, image, suspension, delivery, key, before } = call
  const { id, source, type, traceparent } = delivery.event
  const began = before?.event ?? delivery.event
  // It was erased while the call ran: nothing is kept of what the call knows.
  if ((await bus.get(began.id, began.source))?.erased) {
    return { state: before ? callRemoval(callId, before) : [] }
  }
  const positions = await positionsOf(bus, call)
  const stored: StoredSuspension = {
    leg: (before?.leg ?? 0) + 1,
    ...(await storeImage(bus, functionName, image)),
    suspension,
    ...(positions && { positions }),
    event: before?.event ?? { id, source, type },
    ...(key !== undefined && { key }),
    ...(typeof traceparent === 'string' && { traceparent }),
  }
  return {
    suspended: true,
    state: [
      { key: keyOf(CALL, callId), value: asJson(stored) },
      ...addWaiting(callId, stored),
      ...(before ? removeWaiting(callId, before, suspension.wakes) : []),
      ...(before ? imageRemoval(before).filter(() => before.imageId !== stored.imageId) : []),
    ],
    schedule: wakeEvents(functionName, callId, stored, delivery.event),
  }
}

/** From where events count: for waits of this part from where it asked, for those of earlier parts from where these were. */
async function positionsOf(
  bus: EventBus,
  { suspension, delivery, before }: SuspendedCall,
): Promise<StoredSuspension['positions']> {
  const waits = eventWaits(suspension.wakes)
  if (waits.length === 0) return undefined
  const positions = waits.map(async (wait) => {
    const id = waitIdOf(wait)
    const from = before?.positions?.[id] ?? positionOf(bus, wait, delivery)
    return [id, await lookedAt(bus, wait, from)] as const
  })
  return Object.fromEntries(await Promise.all(positions))
}
