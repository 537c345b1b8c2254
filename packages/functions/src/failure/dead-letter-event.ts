import type { EventInput, FailedDelivery, JsonValue } from '@nexus/event-bus'
import type { RunError, RunRecord } from '../run/run-record.js'

/** Larger events are told of without their data: what is added must fit into an event too. */
const MAX_EVENT_BYTES = 524_288

/** `data` of the event by which a function hears of an event that another one gave up on. */
export type DeadLetterData = {
  /** Name of the function that gave up. */
  function: string
  /** The event, as a CloudEvent. */
  event: { [attribute: string]: JsonValue }
  /** True where the event is larger than 524,288 bytes of JSON: then it is told of without `data`. */
  dataOmitted?: true
  /** Attempts that were made. */
  attempts: number
  /** Why the last one failed. */
  error: RunError
}

/** The type of the events by which a function hears of what this function gave up on. */
export function deadLetterType(name: string): string {
  return `nexus.dead-letter.${name}`
}

/** What is published when a function gives up on an event. */
export function deadLetterEvent(letter: FailedDelivery): EventInput {
  const { group, eventJson, attempt, error } = letter
  const record = letter.record as Partial<RunRecord> | undefined
  const event = JSON.parse(eventJson) as DeadLetterData['event']
  const isLarge = Buffer.byteLength(eventJson) > MAX_EVENT_BYTES
  if (isLarge) {
    delete event.data
    delete event.data_base64
  }
  const data: DeadLetterData = {
    function: group,
    event,
    ...(isLarge && { dataOmitted: true }),
    attempts: attempt,
    // Without a record it is the sandbox that failed: its stack says nothing about the function.
    error: record?.error ?? {
      code: error.code ?? 'INTERNAL_ERROR',
      name: 'Error',
      message: error.message,
    },
  }
  return { type: deadLetterType(group), source: `/functions/${group}`, data }
}
