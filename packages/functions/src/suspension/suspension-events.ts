import type { CloudEvent, EventInput, ScheduledEvent } from '@nexus/event-bus'
import type { ResumeOutcome, SuspensionWait } from '@nexus/executor'
import { eventWaits } from './events/event-wait.js'
import type { EventKey } from './events/find-event.js'
import type { StoredSuspension } from './stored-suspension.js'
import { SUSPENSION_SOURCE } from './suspension-source.js'

/** How much later a wake-up comes again that came before its call was stored: twice as much each time. */
const EARLY_MS = 50
const MAX_EARLY_MS = 30_000

/** What the event of a resume or of a wake-up says. */
export interface ResumeData {
  /**
   * `wake`: the time has come of something that the call waits for. `look`: an event that it waits for may have come before all
   * could know of that. `resume`: go on with the call.
   */
  kind: 'wake' | 'look' | 'resume'
  callId: string
  leg: number
  imageId: string
  /** The wait that is settled, and with what: an outcome, or an event in the log. */
  waitId?: number
  outcome?: ResumeOutcome
  found?: EventKey
  /** Of `wake` and `look`: the event whose acknowledgement the part of the call is stored with. */
  by?: EventKey
  /** Of `wake` and `look`: how often it came before that was stored. */
  early?: number
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
  { leg, imageId, key, traceparent }: Omit<StoredSuspension, 'suspension' | 'event'>,
  waitId: number,
  settled: ResumeOutcome | { found: EventKey },
): EventInput & { id: string } {
  const withWhat = 'found' in settled ? settled : { outcome: settled }
  const data: ResumeData = { kind: 'resume', callId, leg, imageId, waitId, ...withWhat }
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

/**
 * The events that wake a call up: when the first of its waits is due, and at once where it waits for events, since one may have
 * come before the call was stored.
 */
export function wakeEvents(
  functionName: string,
  callId: string,
  { leg, imageId, suspension }: StoredSuspension,
  by: EventKey,
): ScheduledEvent[] {
  const of = { callId, leg, imageId, by: { id: by.id, source: by.source } }
  const first = firstDue(suspension.wakes)
  return [
    ...(first === undefined
      ? []
      : [{ event: wakeEvent(functionName, { kind: 'wake', ...of }), deliverAtMs: first.dueAt }]),
    ...(eventWaits(suspension.wakes).length === 0
      ? []
      : [{ event: wakeEvent(functionName, { kind: 'look', ...of }) }]),
  ]
}

/** The same wake-up some time later: it came before the call was stored. */
export function laterWake(functionName: string, data: ResumeData, nowMs: number): ScheduledEvent {
  const early = (data.early ?? 0) + 1
  const event = wakeEvent(functionName, { ...data, early })
  return { event, deliverAtMs: nowMs + Math.min(EARLY_MS * 2 ** early, MAX_EARLY_MS) }
}

function wakeEvent(functionName: string, data: ResumeData): EventInput & { id: string } {
  const { kind, callId, leg, imageId, early } = data
  // Of its image alone: an attempt that was not stored may have left an event of its own.
  const id = [callId, leg, imageId, kind === 'look' ? kind : [], early ?? []].flat().join('.')
  return { type: resumeType(functionName), source: SUSPENSION_SOURCE, id, data }
}

/** The number of a wait within its call. */
export function waitIdOf({ suspensionId }: SuspensionWait): number {
  return Number(suspensionId.slice(suspensionId.lastIndexOf('.') + 1))
}

/** The wait that is due first. */
export function firstDue(
  wakes: readonly SuspensionWait[],
): (SuspensionWait & { dueAt: number }) | undefined {
  return wakes
    .filter((wake): wake is SuspensionWait & { dueAt: number } => wake.dueAt !== undefined)
    .sort((one, other) => one.dueAt - other.dueAt)[0]
}
