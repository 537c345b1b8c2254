import { createHash } from 'node:crypto'
import type { EventBus, JsonValue, StateChange } from '@nexus/event-bus'
import type { Suspension } from '@nexus/executor'
import type { WaitPosition } from './events/find-event.js'

/** A call that stands still, as the bus keeps it for its function. */
export interface StoredSuspension {
  /** Counts how often the call was suspended, from 1: a resume is of one of them. */
  leg: number
  /** Names the image among all that the call ever had. */
  imageId: string
  /** The sealed image in base64; missing where it is kept under a key of its own. */
  image?: string
  /** What people are told. */
  suspension: Suspension
  /** From where in the log events count, by the number of the wait; of waits for events only. */
  positions?: Record<number, WaitPosition>
  /** The event that the call began with. */
  event: { id: string; source: string; type: string }
  /** The ordering key of that event. */
  key?: string
  traceparent?: string
}

/** Longer images are kept under a key of their own, so that lists stay small. */
const INLINE_LENGTH = 128 * 1024

/** Kind of the state of calls that stand still. */
export const CALL = 'call'
/** Kind of the state of calls whose resume ended as a dead letter, which may be redriven. */
export const FAILED = 'failed'

/** The key of a call. */
export function keyOf(kind: typeof CALL | typeof FAILED, callId: string): string {
  return `${kind}.${callId}`
}

/** An image as part of what is stored; a large one is stored before, by itself, under the hash of its bytes. */
export async function storeImage(
  bus: EventBus,
  functionName: string,
  image: Uint8Array,
): Promise<Pick<StoredSuspension, 'imageId' | 'image'>> {
  const text = Buffer.from(image).toString('base64')
  const imageId = createHash('sha256').update(image).digest('hex').slice(0, 32)
  if (text.length <= INLINE_LENGTH) return { imageId, image: text }
  await bus.states.put(functionName, { key: imageKey(imageId), value: text })
  return { imageId }
}

/** The image of a call; undefined when it is gone. */
export async function readImage(
  bus: EventBus,
  functionName: string,
  { image, imageId }: StoredSuspension,
): Promise<Uint8Array | undefined> {
  const text = image ?? (await bus.states.get(functionName, imageKey(imageId)))
  return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined
}

/** Removes an image that was stored by itself. */
export function imageRemoval({ image, imageId }: StoredSuspension): StateChange[] {
  return image === undefined ? [{ key: imageKey(imageId) }] : []
}

/** What is stored of a call, as it was written. */
export async function readCall(
  bus: EventBus,
  functionName: string,
  callId: string,
  kinds: readonly (typeof CALL | typeof FAILED)[] = [CALL],
): Promise<StoredSuspension | undefined> {
  for (const kind of kinds) {
    const found = await bus.states.get(functionName, keyOf(kind, callId))
    if (found !== undefined) return found as unknown as StoredSuspension
  }
  return undefined
}

/** As the bus takes it. */
export function asJson(stored: StoredSuspension): JsonValue {
  return JSON.parse(JSON.stringify(stored)) as JsonValue
}

function imageKey(imageId: string): string {
  return `image.${imageId}`
}
