import { createHash } from 'node:crypto'
import type { CloudEvent } from '@nexus/event-bus'

/** The digits that the milliseconds of a time have in hexadecimal, until the year 10889. */
const TIME_DIGITS = 12
const MARK_DIGITS = 4
const CALL_ID = /^[0-9a-f]{12}-[0-9a-f]{18}-[0-9a-f]{4}$/

/**
 * Names the call of a function for an event: the same on every attempt. It begins with the time of the event, so that lists
 * are in that order, and ends with a mark of the function, by which the function is found.
 */
export function callIdOf(
  { id, source, time }: Pick<CloudEvent, 'id' | 'source' | 'time'>,
  functionName: string,
  replay: number,
): string {
  const digest = hash([source, id, functionName, replay].join('\0')).slice(0, 18)
  const ms = Math.max(0, Date.parse(time) || 0)
  const start = ms.toString(16).padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS)
  return `${start}-${digest}-${markOf(functionName)}`
}

/** Whether a call may be one of this function; of another one hardly ever. */
export function mayBeOf(callId: string, functionName: string): boolean {
  return callId.endsWith(`-${markOf(functionName)}`)
}

/** Whether a value is the id of a call. */
export function isCallId(value: unknown): value is string {
  return typeof value === 'string' && CALL_ID.test(value)
}

/** The call and the wait of a suspension id; undefined where it is none. */
export function partsOf(suspensionId: string): { callId: string; waitId: number } | undefined {
  const [callId, waitId = ''] = String(suspensionId).split('.', 2)
  const isOne = isCallId(callId) && /^\d{1,15}$/.test(waitId)
  return isOne ? { callId, waitId: Number(waitId) } : undefined
}

function markOf(functionName: string): string {
  return hash(functionName).slice(0, MARK_DIGITS)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
