import type { Profiler } from 'node:inspector'
import type { Answer, CallRequest, HandlerCode, Question, RawResult } from '../call/call.js'
import type { SandboxEngineOptions, SandboxLimits } from '../call/sandbox-engine.js'

/** What a thread is started with. */
export interface ThreadData {
  engine: SandboxEngineOptions
  /** Milliseconds between the soft limit, which interrupts the guest, and the end of the thread. */
  hardTimeoutGraceMs: number
  /** See `ThreadStatus`. */
  status: SharedArrayBuffer
}

/** To the thread; what is sent in one turn of the event loop travels as one array. */
export type ToThread =
  | { kind: 'handler'; key: string; code: HandlerCode }
  | { kind: 'call'; request: CallRequest }
  | { kind: 'answer'; callId: number; id: number; answer: Answer }
  | { kind: 'resize'; limits: SandboxLimits }
  /** Sample what the thread does, until `profile-end`. */
  | { kind: 'profile'; samplingIntervalUs: number }
  | { kind: 'profile-end'; profileId: number }
  | { kind: 'shutdown' }

export interface Asked {
  kind: 'asked'
  callId: number
  id: number
  question: Question
}

/** The profile that a thread took; undefined when it could not. */
export interface Profiled {
  kind: 'profiled'
  profileId: number
  profile: Profiler.Profile | undefined
}

/** From the thread; what belongs together travels as one array. */
export type FromThread =
  | { kind: 'ready' }
  | Profiled
  | { kind: 'finished'; callId: number; result: RawResult }
  /** The thread has dropped the handler of this call: send it, and the call, again. */
  | { kind: 'unknown-handler'; callId: number }
  | Asked
  /** The answer to this question is no longer needed. */
  | { kind: 'withdrawn'; callId: number; id: number }
  /** The call waits for something outside; the thread is free for others. */
  | { kind: 'suspended'; callId: number }
