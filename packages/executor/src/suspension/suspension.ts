import type { ThrownByHost } from './resume-outcome.js'

/** Something that a frozen call waits for. */
export interface SuspensionWait {
  /** What to resume the call by, for this wait. */
  suspensionId: string
  /** `suspend` waits for {@link WasmRuntime.resumeHandler}, `sleep` for a time. */
  kind: 'suspend' | 'sleep'
  /** The name that the handler gave; of a sleep `sleep`. */
  name: string
  /** What the handler gave beside the name, through JSON. */
  data?: unknown
  /** When it is due: a sleep ends then, a suspension fails with `TIMEOUT`; in milliseconds since the epoch. */
  dueAt: number | undefined
}

/** A call that stands still, by what it waits for. */
export interface Suspension {
  /** Of the first wait of kind `suspend`, or of the first wait. */
  suspensionId: string
  /** The name of that wait. */
  name: string
  /** The data of that wait. */
  data?: unknown
  /** When that wait fails with `TIMEOUT`, in milliseconds since the epoch; never where it is undefined. */
  expiresAt: number | undefined
  /** The name under which the call is measured. */
  functionName: string | undefined
  /** When it was frozen, in milliseconds since the epoch. */
  suspendedAt: number
  /** All that it waits for, in the order in which the handler asked; each can be resumed by its own id. */
  wakes: SuspensionWait[]
  /** What its image holds, in bytes. */
  imageBytes: number
}

/** What a wait is settled with. */
export type ResumeOutcome =
  | {
      /** The handler goes on with `value`. */
      success: true
      /** Crosses as JSON does, and Dates, Maps, bytes and the like. */
      value?: unknown
    }
  | {
      /** The handler goes on with a throw. */
      success: false
      /** What is thrown at the `await`: an error, or its message. */
      error: ThrownByHost
    }
