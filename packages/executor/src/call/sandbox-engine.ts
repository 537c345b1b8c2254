import type { CallRequest, HandlerCode, Question, RawResult } from './call.js'
import type { SandboxEngineStats } from './engine-stats.js'

/** Runs calls of one kind of handler, in the sandboxes of one thread. */
export interface SandboxEngine<Code extends HandlerCode = HandlerCode> {
  hasHandler(key: string): boolean
  addHandler(key: string, code: Code): void
  /**
   * Runs a call of a handler that was added. A call that waits for nothing is over when this
   * returns; the listener is told in any case.
   */
  run(request: CallRequest): void
  getStats(): SandboxEngineStats
  /** Changes limits; calls under way are not touched. */
  resize(limits: SandboxLimits): void
  /** Ends the calls that still wait, and frees every instance. */
  shutdown(): Promise<void>
}

export interface SandboxEngineOptions extends SandboxLimits {
  maxStackBytes: number
  /** See `threadPoolSlots`. */
  threadPoolSlots: SharedArrayBuffer
  /** Options of the pools that do not change while the engine runs. */
  pool: PoolSettings
}

/** Those options of an `InstancePool` that every pool of a runtime has. */
export interface PoolSettings {
  minInstances: number
  maxWaiting: number
  acquireTimeoutMs: number
  idleTimeoutMs: number
}

/** What may be changed while an engine runs. */
export interface SandboxLimits {
  /** The most sandboxes alive on each thread. */
  maxInstances: number
  /** What each thread keeps of the handlers it has loaded, in bytes. */
  maxHandlerBytes: number
}

/** Who an engine tells what happens; on a thread this posts messages, inline it calls functions. */
export interface EngineListener {
  /** A call is over. */
  finished(request: CallRequest, result: RawResult): void
  /** A guest asks something; `answer` brings the answer. */
  asked(callId: number, id: number, question: Question): void
  /** The answer to a question no longer matters; it must come all the same. */
  withdrawn(callId: number, id: number): void
  /** Guest code is about to run, until at most `deadlineInMs` from now. */
  entered(callId: number, deadlineInMs: number): void
  /** Guest code has stopped running. */
  left(): void
  /** The call no longer needs the thread, until something outside answers. */
  suspended(callId: number): void
}
