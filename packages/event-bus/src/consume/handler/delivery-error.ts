import { describeThrown } from '@nexus/diagnostics'
import type { JsonValue } from '../../event/cloud-event.js'
import { checkedChanges } from '../../store/checked-states.js'
import type { StateChange } from '../../store/group-state.js'
import type { DeliveryError } from '../../store/stored-event.js'

/** What a thrown value tells the bus. */
export interface Failure {
  error: DeliveryError
  retryable: boolean
  record?: JsonValue
  /** What the group keeps when this makes a dead letter. */
  state?: readonly StateChange[]
}

/** Stacks are kept for people; this much of one says what there is to say. */
const MAX_TEXT = 8_192

/**
 * Reads what a handler threw: `retryable: false` means straight to the dead letters, `record` is kept
 * with the attempt, `stateWhenDead` is what the group keeps when it makes a dead letter. Guards every access, since anything
 * can be thrown.
 */
export function describeFailure(thrown: unknown): Failure {
  const message = describeThrown(thrown).message
  const error: DeliveryError = { message: message.slice(0, MAX_TEXT) }
  const code = text(thrown, 'code')
  const stack = text(thrown, 'stack')
  if (code !== undefined) error.code = code.slice(0, 256)
  if (stack !== undefined) error.stack = stack.slice(0, MAX_TEXT)
  const failure: Failure = { error, retryable: read(thrown, 'retryable') !== false }
  const record = jsonCopy(read(thrown, 'record'))
  if (record !== undefined) failure.record = record
  const state = read(thrown, 'stateWhenDead')
  if (Array.isArray(state)) failure.state = checkedChanges(state as StateChange[])
  return failure
}

/** A copy that can be stored; undefined when the value is not JSON. */
export function jsonCopy(value: unknown): JsonValue | undefined {
  if (value === undefined) return undefined
  try {
    const json = JSON.stringify(value) as string | undefined
    return json === undefined ? undefined : (JSON.parse(json) as JsonValue)
  } catch {
    return undefined
  }
}

function read(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  try {
    return (value as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function text(value: unknown, name: string): string | undefined {
  const found = read(value, name)
  return typeof found === 'string' ? found : undefined
}
