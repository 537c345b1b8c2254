import type { CloudEvent, EventInput, ScheduledEvent } from '@nexus/event-bus'
import type { ResumeOutcome, SuspensionWait } from '@nexus/executor'
import type { StoredSuspension } from './stored-suspension.js'

/** `source` of the events of suspensions. */
export const SUSPENSION_SOURCE = '/suspensions'

/** What the event of a resume or of a wake-up says. */
export interface ResumeData {
  /** `wake`: something that the call waits for may be due. `resume`: go on with the call. */
  kind: 'wake' | 'resume'
  callId: string
  leg: number
  imageId: string
  /** The wait that is settled, and with what. */
  waitId?: number
  outcome?: ResumeOutcome
  /** The ordering key of the event that the call began with. */
  key?: string
}

/** The type of the events by which calls of a function go on. */
export function resumeType(functionName: string): string {
  return `nexus.resume.${functionName}`
}

/** What an event says of a call that goes on; undefined where it is no such event. */
export function resumeDataOf(event: CloudEvent, functionName: string): ResumeData | undefined {
  const isOne = event.type === resumeType(functionName) && event.source === SUSPENSION_SOURCE
  return isOne ? (event.data as unknown as ResumeData) : undefined
}

/**
 * The event by which a call goes on. Its id follows from the call and the leg, and the bus stores an id once: that is how
 * exactly one of several resumes wins, on whatever machines.
 */
export function resumeEvent(
  functionName: string,
  callId: string,
  { leg, imageId, key, traceparent }: StoredSuspension,
  waitId: number,
  outcome: ResumeOutcome,
): EventInput & { id: string } {
  const data: ResumeData = { kind: 'resume', callId, leg, imageId, waitId, outcome }
  return {
    type: resumeType(functionName),
    source: SUSPENSION_SOURCE,
    id: resumeId(callId, leg),
    ...(traceparent !== undefined && { traceparent }),
    data: { ...data, ...(key !== undefined && { key }) },
  }
}

/** The id of the event by which a call goes on from a leg. */
export function resumeId(callId: string, leg: number): string {
  return `${callId}.${leg}`
}

/** The event that wakes a call up when the first of its waits is due; undefined when none ever is. */
export function wakeEvent(
  functionName: string,
  callId: string,
  { leg, imageId, suspension }: StoredSuspension,
): ScheduledEvent | undefined {
  const first = firstDue(suspension.wakes)
  if (first === undefined) return undefined
  const data: ResumeData = { kind: 'wake', callId, leg, imageId }
  // Of its image alone: an attempt that was not stored may have left an event of its own.
  const id = `${callId}.${leg}.${imageId}`
  return {
    event: { type: resumeType(functionName), source: SUSPENSION_SOURCE, id, data },
    deliverAtMs: first.dueAt,
  }
}

/** The wait that is due first. */
export function firstDue(
  wakes: readonly SuspensionWait[],
): (SuspensionWait & { dueAt: number }) | undefined {
  return wakes
    .filter((wake): wake is SuspensionWait & { dueAt: number } => wake.dueAt !== undefined)
    .sort((one, other) => one.dueAt - other.dueAt)[0]
}
