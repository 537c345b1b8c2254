import type { ThrownByHost } from './resume-outcome.js'

/** Something that a frozen call waits for. */
export interface SuspensionWait {
  /** What to resume the call by, for this wait. */
  suspensionId: string
  /** `suspend` waits for {@link WasmRuntime.resumeHandler}, `sleep` for a time, `event` for an event of `ctx.waitFor`. */
  kind: 'suspend' | 'sleep' | 'event'
  /** The name that the handler gave; of a sleep `sleep`, of an event the pattern of its type. */
  name: string
  /** What the handler gave beside the name, through JSON; of an event what must match, by path. */
  data?: unknown
  /** When it is due: a sleep ends then, all else fails with `TIMEOUT`; in milliseconds since the epoch. */
  dueAt: number | undefined
  /** When the handler began to wait for the event, in milliseconds since the epoch; of an event only. */
  since?: number
  /** Which of the call's suspensions of this name it is, from 1; of a `suspend` only. */
  nth?: number
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
