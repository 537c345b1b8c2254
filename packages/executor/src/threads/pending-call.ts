import type { CallRequest, HandlerCode, RawResult } from '../call/call.js'

/** A call that was submitted and is not over. */
export interface PendingCall {
  readonly request: CallRequest
  /** Of its handler; a script of a context has none. */
  readonly code: HandlerCode | undefined
  readonly resolve: (result: RawResult) => void
  /** How often it was sent to a thread. */
  attempts: number
  /** What this call counts for in its thread's load, in microseconds. */
  loadUs: number
  /** Whether it waits for something outside, so that the thread is free for others. */
  suspended: boolean
  /** Whether the host did something for it that running it again would do twice. */
  calledOut: boolean
}
