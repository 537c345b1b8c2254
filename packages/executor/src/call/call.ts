import type { Isolation } from '@nexus/instance-pool'
import type { FrozenCall, FrozenHandler, FrozenSandbox } from '../freeze/frozen-sandbox.js'
import type { GuestErrorReport, LogLevel } from '../guest/protocol.js'
import type { BodyChunk, FetchRequest, FetchResponse } from '../guest/web/fetch/fetch-messages.js'
import type { ErrorCode } from '../result/error-code.js'
import type { WasiProgram } from '../wasi/wasi-program.js'

/** What a handler is compiled to: bytecode of a JavaScript module, or a WASI command. */
export type HandlerCode = Uint8Array | WasiProgram

/** What one call may use. */
export interface CallLimits {
  timeoutMs: number
  memoryLimitBytes: number
  maxHostCalls: number
  maxResultBytes: number
  maxLogBytes: number
  maxFetches: number
  maxRequestBytes: number
  maxResponseBytes: number
}

/** One call, as it crosses to the thread that runs it. */
export interface CallRequest {
  readonly id: number
  readonly handlerKey: string
  /** `undefined` only loads the handler. */
  readonly eventJson: string | undefined
  /** What the handler's `ctx` is made of, or `undefined` when there is nothing to tell. */
  readonly contextJson: string | undefined
  readonly capabilities: readonly string[]
  readonly isolation: Isolation
  readonly limits: CallLimits
  /** On the clock of `monotonicMs`. */
  readonly submittedAt: number
  /** The call evaluates a script of a context, instead of calling a handler. */
  readonly evaluation?: Evaluation | undefined
  /** The call goes on with a frozen one, instead of calling a handler from its start. */
  readonly resumption?: Resumption | undefined
  /** Whether the call may be frozen. */
  readonly canSuspend?: boolean | undefined
}

/** What a frozen call goes on with. */
export interface Resumption {
  readonly call: FrozenCall
  readonly handler: FrozenHandler
  /** The waits that are settled. */
  readonly settled: readonly { id: number; encoded: string; failed: boolean }[]
}

/** One script of a context. */
export interface Evaluation {
  readonly script: string
  /** What the engine calls it. */
  readonly filename: string
  /** What the scripts before it left. */
  readonly sandbox: FrozenSandbox | undefined
}

/** A log line as the guest wrote it. */
export interface RawLog {
  level: LogLevel
  message: string
  time: number
  fieldsJson: string | undefined
}

/** An emitted event as the guest wrote it. */
export interface RawEvent {
  type: string
  dataJson: string
  attributesJson: string
}

export interface CallFailure {
  code: ErrorCode
  report: GuestErrorReport
  /** This call can never succeed, whatever `RETRYABLE` says of its code. */
  neverRetry?: true
}

/** How a call ended, as it crosses back: its parts are still text, and checked by nothing but their size. */
export interface RawResult {
  /** The result as JSON, `''` for undefined; meaningless beside a failure. */
  valueJson: string
  failure: CallFailure | undefined
  events: readonly RawEvent[]
  logs: readonly RawLog[]
  /** What parsing the result, the events and the logs costs the host's thread. */
  steps: number
  durationUs: number
  queueWaitUs: number
  memoryUsedBytes: number
  memoryPeakBytes: number
  hostCalls: number
  /** What a script of a context leaves to the next. */
  sandbox?: FrozenSandbox | undefined
  /** The call did not end, but stands still. */
  suspended?: { readonly call: FrozenCall; readonly handler: FrozenHandler } | undefined
  /** How long it took to freeze the call. */
  freezeUs?: number | undefined
  /** How long it took until a call that was frozen ran. */
  thawUs?: number | undefined
}

/**
 * What a guest asks of the host's thread. The sandbox's thread has read it completely: it is well formed, within its
 * limits, and costs the host's thread as many steps as it says (`MAX_STEPS` at most).
 */
export type Question =
  | {
      kind: 'host-function'
      /** What `runtime.extend` was given as name; `''` for a function among the globals of the call. */
      name: string
      /** Its method, or the path of the global. */
      method: string
      /** Text of the value codec; as UTF-8 where it is long and comes from a thread. */
      encodedArguments: string | Uint8Array
      steps: number
    }
  /** A fetch that is one too many has no request: it was not read. */
  | { kind: 'fetch'; request: FetchRequest | undefined; steps: number }
  /** What comes next of the answer to a fetch. */
  | { kind: 'body'; fetchId: number; all: boolean; steps: 0 }
  /** The next part of the body of a fetch. */
  | { kind: 'body-part'; fetchId: number; bytes: Uint8Array; ended: boolean; steps: number }

/** The answer to a {@link Question}. */
export type Answer =
  | {
      failed: boolean
      /** The value or the error, as text of the value codec. */
      encoded: string
      /** Whether the host itself refused, and not what it called: `HostAnswer.Denied` or `HostAnswer.Limit`. */
      refusal?: number | undefined
    }
  /** Of a fetch, or of its body; the sandbox's thread makes the text of it. */
  | { response: FetchResponse | BodyChunk }

/** How a call ended whose handler did not run. */
export function emptyRawResult(failure: CallFailure | undefined, queueWaitUs = 0): RawResult {
  return {
    valueJson: '',
    failure,
    events: [],
    logs: [],
    steps: 0,
    durationUs: 0,
    queueWaitUs,
    memoryUsedBytes: 0,
    memoryPeakBytes: 0,
    hostCalls: 0,
  }
}
