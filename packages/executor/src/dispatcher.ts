import type { Answer, CallRequest, HandlerCode, Question, RawResult } from './call/call.js'
import type { SandboxEngineStats } from './call/engine-stats.js'
import type { SandboxLimits } from './call/sandbox-engine.js'
import type { ThreadProfile } from './threads/profiling/profiled-threads.js'

/** Gets calls run, inline or on threads. */
export interface Dispatcher {
  /**
   * Runs a call; never rejects.
   *
   * @param code of its handler; a script of a context has none
   */
  submit(request: CallRequest, code: HandlerCode | undefined): Promise<RawResult>
  getStats(): DispatcherStats
  /** Changes the limits of every engine, those of threads to come included. */
  resize(limits: SandboxLimits): void
  /** Samples what every thread of its own does. */
  startProfile(samplingIntervalUs: number): void
  /** The profiles of the threads that answer within `patienceMs`. */
  stopProfile(patienceMs: number): Promise<ThreadProfile[]>
  /** Lets the calls under way finish for `drainTimeoutMs`, fails the rest, and frees everything. */
  shutdown(drainTimeoutMs: number): Promise<void>
}

/** Answers what guests ask of the host's thread. */
export interface GuestServices {
  /** Never rejects; `undefined` when the call is over and its question was dropped. */
  answer(call: CallRequest, id: number, question: Question): Promise<Answer | undefined>
  /** The answer to this question no longer matters; it still comes. */
  withdraw(callId: number, id: number): void
}

/** Figures of the threads of a runtime; totals count from its start. */
export interface DispatcherStats {
  /** One for each thread; with threads, a last one for what those that have ended had counted. */
  engines: SandboxEngineStats[]
  /** Calls that wait for a thread. */
  queued: number
  /** Calls sent to a thread and not yet over. */
  running: number
  /** Threads ended because a call ran past its hard deadline. */
  threadKills: number
  /** Threads that died without being told to. */
  threadCrashes: number
  /** Handlers that run on a thread of their own because their calls kept forcing kills. */
  confinedHandlers: number
}
