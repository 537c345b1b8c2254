import type { Suspension, SuspensionWait } from '@nexus/executor'
import type { StoredSuspension } from './stored-suspension.js'

/** Something that a suspended call waits for. */
export interface FunctionWait {
  /** What to resume the call by, for this wait. */
  suspensionId: string
  /** `suspend` waits for a resume, `sleep` for a time, `event` for an event. */
  kind: SuspensionWait['kind']
  /** The name that the function gave; of a sleep `sleep`, of an event the pattern of its type. */
  name: string
  /** What the function gave beside the name; of an event what it must say, by path. */
  data?: unknown
  /** RFC 3339, UTC: when it is due; absent where it never is. */
  dueAt?: string
}

/** A call of a function that stands still. */
export interface FunctionSuspension {
  /** Of the first wait of kind `suspend`, or of the first wait. */
  suspensionId: string
  /** Name of the function. */
  function: string
  /** The name of that wait. */
  name: string
  /** The data of that wait. */
  data?: unknown
  /** RFC 3339, UTC: when that wait fails with `TIMEOUT`; absent where it never does. */
  expiresAt?: string
  /** RFC 3339, UTC; when it was suspended. */
  suspendedAt: string
  /** The event that the call began with. */
  event: { id: string; source: string; type: string }
  /** All that it waits for, in the order in which the function asked. */
  wakes: FunctionWait[]
  /** What its image holds, in bytes. */
  imageBytes: number
}

/** What people are told of a stored call. */
export function functionSuspension(
  functionName: string,
  { suspension, event }: StoredSuspension,
): FunctionSuspension {
  const { expiresAt, suspendedAt, wakes, imageBytes, suspensionId, name } = suspension
  return {
    suspensionId,
    function: functionName,
    name,
    ...dataOf(suspension),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    suspendedAt: new Date(suspendedAt).toISOString(),
    event,
    wakes: wakes.map(functionWait),
    imageBytes,
  }
}

function functionWait(wait: SuspensionWait): FunctionWait {
  const { suspensionId, kind, name, dueAt } = wait
  const due = dueAt !== undefined && { dueAt: new Date(dueAt).toISOString() }
  return { suspensionId, kind, name, ...dataOf(wait), ...due }
}

function dataOf(one: Suspension | SuspensionWait): { data?: unknown } {
  return one.data === undefined ? {} : { data: one.data }
}
