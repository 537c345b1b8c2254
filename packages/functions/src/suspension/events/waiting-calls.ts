import type { CloudEvent, EventBus, JsonValue, StateChange } from '@nexus/event-bus'
import type { SuspensionWait } from '@nexus/executor'
import { CALL, FAILED, imageRemoval, keyOf, type StoredSuspension } from '../stored-suspension.js'
import { waitIdOf } from '../suspension-events.js'
import { eventWaits, kindFor, shapeId, shapeOf, type WaitShape, waitKind } from './event-wait.js'
import type { WaitPosition } from './find-event.js'

/** A wait for an event, where it is found by that. */
export interface WaitingCall
  extends Pick<StoredSuspension, 'leg' | 'imageId' | 'key' | 'traceparent'>,
    Pick<WaitPosition, 'after' | 'since'> {
  callId: string
  waitId: number
}

const SHAPE = 'shape'
const PAGE = 100

/** Makes the waits for events of a call found by the events. Shapes stay: a function has but a few. */
export function addWaiting(callId: string, stored: StoredSuspension): StateChange[] {
  return eventWaits(stored.suspension.wakes).flatMap((wait) => {
    const shape = shapeOf(wait)
    const { leg, imageId, key, traceparent, positions = {} } = stored
    const waitId = waitIdOf(wait)
    const { after, since } = positions[waitId]!
    const row: WaitingCall = {
      ...{ callId, leg, imageId, waitId, after, since },
      ...(key !== undefined && { key }),
      ...(traceparent !== undefined && { traceparent }),
    }
    return [
      { key: `${SHAPE}.${shapeId(shape)}`, value: asJson(shape) },
      { key: waitingKey(callId, wait), value: asJson(row) },
    ]
  })
}

/** The opposite of {@link addWaiting}, of the waits that are not `kept`. */
export function removeWaiting(
  callId: string,
  { suspension }: Pick<StoredSuspension, 'suspension'>,
  kept: readonly SuspensionWait[] = [],
): StateChange[] {
  return eventWaits(suspension.wakes)
    .filter((wait) => !kept.some(({ suspensionId }) => suspensionId === wait.suspensionId))
    .map((wait) => ({ key: waitingKey(callId, wait) }))
}

/** Removes all that is kept of a call. */
export function callRemoval(callId: string, stored: StoredSuspension): StateChange[] {
  return [
    { key: keyOf(CALL, callId) },
    { key: keyOf(FAILED, callId) },
    ...removeWaiting(callId, stored),
    ...imageRemoval(stored),
  ]
}

/** The calls of a function that wait for an event such as this one. */
export async function* waitingFor(
  bus: EventBus,
  functionName: string,
  event: CloudEvent,
): AsyncGenerator<WaitingCall> {
  for await (const shape of entries<WaitShape>(bus, functionName, SHAPE)) {
    const kind = kindFor(event, shape)
    if (kind !== undefined) yield* entries<WaitingCall>(bus, functionName, kind)
  }
}

async function* entries<Value>(bus: EventBus, group: string, kind: string): AsyncGenerator<Value> {
  let after: string | undefined
  do {
    const page = await bus.states.list({ group, kind, limit: PAGE, after })
    for (const { value } of page.entries) yield value as unknown as Value
    after = page.next
  } while (after !== undefined)
}

/** The same in each part of a call, so that a later part replaces what an earlier one left. */
function waitingKey(callId: string, wait: SuspensionWait): string {
  return `${waitKind(wait)}.${callId}-${waitIdOf(wait)}`
}

function asJson(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue
}
