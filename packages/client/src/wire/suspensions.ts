/** Something that a suspended call waits for. */
export interface FunctionWait {
  /** What to resume the call by, for this wait. */
  suspensionId: string
  /** `suspend` waits for a resume, `sleep` for a time, `event` for an event. */
  kind: 'suspend' | 'sleep' | 'event'
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

/** A page of suspended calls. */
export interface SuspensionPage {
  /** By function, oldest event first. */
  suspensions: FunctionSuspension[]
  /** The `cursor` of the next page; absent on the last one. */
  next?: string
}

/** What `resumeSuspension` and `cancelSuspension` answer. */
export interface ResumeReceipt {
  /** The function whose call goes on. */
  function: string
  /** The event by which it goes on. */
  event: { id: string; source: string }
}

/** What a wait is settled with: a value, or a throw. */
export type ResumeBody =
  | {
      /** What the function goes on with. */
      value?: unknown
    }
  | {
      /** What is thrown at the `await`. */
      error: string | { name?: string; message: string; code?: string }
    }
