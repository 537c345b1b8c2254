import type { DiscardReason, GuestPtr, Lease, QuickJSInstance } from '@nexus/instance-pool'
import { isGranted } from '../capabilities.js'
import type { PreludeEntry } from '../guest/prelude.js'
import { HostAnswer, HostOperation, LOG_LEVELS } from '../guest/protocol.js'
import { monotonicMs } from '../monotonic.js'
import type {
  Answer,
  CallFailure,
  CallOutcome,
  CallRequest,
  Question,
  RawEvent,
  RawLog,
} from './call.js'
import {
  engineFailure,
  failureFromException,
  failureFromReport,
  memoryFailure,
  type Refusals,
  resultTooLarge,
  stuckFailure,
  timeoutFailure,
  trapFailure,
} from './guest-failure.js'
import { logLimitNotice } from './log-limit.js'

/** The longest text a host call takes for a name: event types, extensions, methods. */
const MAX_NAME_BYTES = 1024
const MAX_ATTRIBUTES_BYTES = 16 * 1024
/** The URL and the headers of a fetch. */
const MAX_REQUEST_HEAD_BYTES = 64 * 1024
const NO_REFUSALS: Refusals = new Set()
/** Node's own limit of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1

const NOTHING: readonly never[] = []

/** What the description of an error can grow to: no limit of the result may hide why a call failed. */
const MAX_REPORT_BYTES = 2 * 1024 * 1024

/** A UTF-16 unit takes at most three bytes of UTF-8: most texts need not be counted. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes
}

/** Where the functions of the prelude are in the guest. */
export type GuestEntries = Readonly<Record<PreludeEntry, GuestPtr>>

/** What a call needs of the engine that runs it. */
export interface CallHost {
  /** Hands a question to the host's thread; the answer comes back through {@link GuestCall.answer}. */
  ask(call: GuestCall, id: number, question: Question): void
  /** Nobody waits for the answer to this question any more. */
  withdraw(call: GuestCall, id: number): void
  /** The guest is about to run for this call, until at most `deadlineInMs` from now. */
  enter(call: GuestCall, deadlineInMs: number): void
  /** The guest has stopped running. */
  leave(): void
  /** The call waits for something outside. */
  suspend(call: GuestCall): void
  /** The call goes on. */
  resume(call: GuestCall): void
  /** The call is over. */
  finish(call: GuestCall, outcome: CallOutcome, discard: DiscardReason | undefined): void
}

/** One call inside one sandbox: from handing over the event to the outcome. */
export class GuestCall {
  readonly #entries: GuestEntries
  readonly #host: CallHost
  readonly #instance: QuickJSInstance
  #startedAt = 0
  #deadlineAt = 0
  #result: GuestPtr = 0
  #over = false
  #waiting = false
  #deadlineTimer: NodeJS.Timeout | undefined
  #timers: Map<number, NodeJS.Timeout> | undefined
  /** The questions that are not answered, and how many bytes each holds. */
  #pending: Map<number, number> | undefined
  #pendingBytes = 0
  #hostCalls = 0
  #limitedCalls = 0
  #peakBytes = 0
  #eventBytes = 0
  #logBytes = 0
  #logsDropped = false
  #refusals: Set<number> | undefined
  #events: RawEvent[] | undefined
  #logs: RawLog[] | undefined

  constructor(
    readonly request: CallRequest,
    readonly lease: Lease<QuickJSInstance>,
    entries: GuestEntries,
    host: CallHost,
  ) {
    this.#entries = entries
    this.#host = host
    this.#instance = lease.instance
  }

  /**
   * Runs the handler until it is done or waits for something.
   *
   * @param timeoutMs what loading the module has left of the call's time
   */
  start(timeoutMs: number): void {
    const { eventJson = 'null', contextJson, limits } = this.request
    const instance = this.#instance
    this.#startedAt = performance.now()
    this.#deadlineAt = this.#startedAt + timeoutMs
    this.#run(() => {
      instance.begin(this.#deadlineAt, limits.memoryLimitBytes, this.#onHostCall)
      const event = instance.newString(eventJson)
      const context =
        contextJson === undefined ? instance.undefinedPtr : instance.newString(contextJson)
      const deadline = instance.newNumber(Date.now() + timeoutMs)
      this.#result = instance.call(this.#entries.run, event, context, deadline)
      instance.free(event)
      instance.free(deadline)
      if (context !== instance.undefinedPtr) instance.free(context)
      return this.#result
    })
  }

  /** Hands the guest an answer of the host's thread. One that comes too late is ignored. */
  answer(id: number, { failed, encoded, refusal }: Answer): void {
    if (this.#over) return
    if (refusal !== undefined) this.#refused(refusal)
    this.#pendingBytes -= this.#pending?.get(id) ?? 0
    this.#pending?.delete(id)
    this.#wake((instance, args) => {
      args.push(instance.newNumber(id), instance.newString(encoded))
      if (failed) args.push(instance.newNumber(1))
      return this.#entries.settle
    })
  }

  /** Ends the call from outside: the thread shuts down. */
  abort(failure: CallFailure): void {
    if (!this.#over) this.#finish('', failure)
  }

  #fire(id: number, repeats: boolean): void {
    if (this.#over) return
    if (!repeats) this.#timers?.delete(id)
    this.#wake((instance, args) => {
      args.push(instance.newNumber(id))
      return this.#entries.fire
    })
  }

  #wake(prepare: (instance: QuickJSInstance, args: GuestPtr[]) => GuestPtr): void {
    const instance = this.#instance
    this.#host.resume(this)
    this.#waiting = false
    this.#run(() => {
      const args: GuestPtr[] = []
      const entry = prepare(instance, args)
      const returned = instance.call(entry, ...args)
      for (const arg of args) instance.free(arg)
      return returned
    })
  }

  /** Lets the guest run once, then looks at where it stands. */
  #run(step: () => GuestPtr): void {
    this.#host.enter(this, this.#deadlineAt - performance.now())
    try {
      const returned = step()
      this.#look(returned)
    } catch (error) {
      // Only the engine throws here: guest exceptions are values.
      this.#finish('', trapFailure(error), 'trap')
    } finally {
      this.#host.leave()
    }
  }

  #look(returned: GuestPtr): void {
    const instance = this.#instance
    if (instance.isException(returned)) this.#finishException()
    else if (returned === this.#result && instance.isString(returned)) this.#finishText(returned)
    else if (this.#noteUncaught(returned)) return
    else if (!instance.drainJobs()) this.#finishInterrupted()
    else if (instance.promiseState(this.#result) !== 'pending') this.#finishPromise()
    else if (!this.#pending?.size && !this.#timers?.size) this.#finishStuck()
    else this.#wait()
  }

  /** The callback of a timer that throws returns the description of its error; all else returns undefined. */
  #noteUncaught(returned: GuestPtr): boolean {
    if (returned === this.#result) return false
    const uncaught = this.#instance.readString(returned)
    this.#instance.free(returned)
    if (uncaught === undefined) return false
    this.#finish('', this.#failureFromReport(uncaught))
    return true
  }

  #wait(): void {
    this.#waiting = true
    this.#host.suspend(this)
    this.#deadlineTimer ??= setTimeout(
      () => {
        if (this.#waiting) this.#host.resume(this)
        this.#finishTimeout()
      },
      Math.max(0, this.#deadlineAt - performance.now()),
    )
  }

  #finishText(textPtr: GuestPtr): void {
    const { maxResultBytes } = this.request.limits
    const text = this.#instance.readString(textPtr, Math.max(maxResultBytes, MAX_REPORT_BYTES))
    this.#instance.free(textPtr)
    if (this.#instance.interrupted) this.#finishTimeout()
    else if (text === undefined) this.#finish('', resultTooLarge(maxResultBytes))
    else if (text.startsWith('!')) this.#finish('', this.#failureFromReport(text))
    else if (isLonger(text, maxResultBytes)) this.#finish('', resultTooLarge(maxResultBytes))
    else this.#finish(text, undefined)
  }

  #finishPromise(): void {
    const text = this.#instance.promiseResult(this.#result)
    this.#instance.free(this.#result)
    this.#finishText(text)
  }

  #finishInterrupted(): void {
    if (this.#instance.interrupted) this.#finishTimeout()
    else this.#finish('', this.#engineFailure(), 'engine-error')
  }

  #finishException(): void {
    if (this.#instance.interrupted) {
      this.#instance.free(this.#instance.takeException())
      this.#finishTimeout()
      return
    }
    const failure = failureFromException(
      this.#instance,
      this.#entries.describe,
      this.request.limits.memoryLimitBytes,
      this.#refusals ?? NO_REFUSALS,
    )
    if (failure) this.#finish('', failure)
    else this.#finishInterrupted()
  }

  #finishTimeout(): void {
    this.#finish('', timeoutFailure(this.request.limits.timeoutMs))
  }

  #finishStuck(): void {
    this.#finish('', this.#isOutOfMemory() ? memoryFailure() : stuckFailure())
  }

  /** An allocation that fails inside the engine's own promise code leaves no exception behind. */
  #isOutOfMemory(): boolean {
    this.#notePeak()
    return this.#peakBytes > this.request.limits.memoryLimitBytes * 0.9
  }

  #failureFromReport(described: string): CallFailure {
    const failure = failureFromReport(described, this.#refusals ?? NO_REFUSALS)
    // When there is no memory left to make the error with, the engine throws null.
    const { message, stack } = failure.report
    const isNull = message === 'null' && stack === undefined
    return isNull && this.#isOutOfMemory() ? memoryFailure() : failure
  }

  #engineFailure(): CallFailure {
    if (this.#isOutOfMemory()) return memoryFailure()
    return engineFailure('The engine failed without an exception')
  }

  #finish(valueJson: string, failure: CallFailure | undefined, discard?: DiscardReason): void {
    this.#over = true
    clearTimeout(this.#deadlineTimer)
    if (this.#timers) for (const timer of this.#timers.values()) clearTimeout(timer)
    const now = performance.now()
    this.#notePeak()
    this.#host.finish(
      this,
      {
        valueJson,
        failure,
        events: (failure ? undefined : this.#events) ?? NOTHING,
        logs: this.#logs ?? NOTHING,
        durationUs: (now - this.#startedAt) * 1000,
        queueWaitUs:
          Math.max(0, monotonicMs() - (now - this.#startedAt) - this.request.submittedAt) * 1000,
        memoryUsedBytes: this.#instance.allocatedBytes,
        memoryPeakBytes: this.#peakBytes,
        hostCalls: this.#hostCalls,
      },
      discard,
    )
  }

  #notePeak(): void {
    this.#peakBytes = Math.max(
      this.#peakBytes,
      this.#instance.peakBytes,
      this.#instance.allocatedBytes,
    )
  }

  /** Everything that a guest can ask of the host; each argument is checked as if an enemy chose it. */
  readonly #onHostCall = (args: readonly GuestPtr[]): number => {
    this.#hostCalls++
    this.#notePeak()
    const answer = this.#serve(args)
    if (answer !== HostAnswer.Ok) this.#refused(answer)
    return answer
  }

  #refused(answer: number): void {
    this.#refusals ??= new Set()
    this.#refusals.add(answer)
  }

  #serve(args: readonly GuestPtr[]): number {
    switch (this.#instance.readNumber(args[0] ?? 0)) {
      case HostOperation.Log:
        return this.#log(args)
      case HostOperation.Emit:
        return this.#limited() ?? this.#emit(args)
      case HostOperation.Call:
        return this.#limited() ?? this.#callExtension(args)
      case HostOperation.SetTimer:
        return this.#limited() ?? this.#setTimer(args)
      case HostOperation.ClearTimer:
        return this.#clearTimer(args)
      case HostOperation.Fetch:
        return this.#limited() ?? this.#fetch(args)
      case HostOperation.Abort:
        return this.#limited() ?? this.#withdraw(args)
      default:
        return HostAnswer.Malformed
    }
  }

  #limited(): number | undefined {
    this.#limitedCalls++
    return this.#limitedCalls > this.request.limits.maxHostCalls ? HostAnswer.Limit : undefined
  }

  #text(ptr: GuestPtr | undefined, maxBytes: number): string | undefined {
    return ptr === undefined ? undefined : this.#instance.readString(ptr, maxBytes)
  }

  #log(args: readonly GuestPtr[]): number {
    const { maxLogBytes } = this.request.limits
    if (this.#logsDropped) return HostAnswer.Limit
    const room = maxLogBytes - this.#logBytes
    const level = LOG_LEVELS.find((name) => name === this.#text(args[1], 16))
    const message = this.#text(args[2], room)
    const hasFields = args[3] !== undefined && this.#instance.isString(args[3])
    const fieldsJson = this.#text(args[3], room)
    if (level === undefined) return HostAnswer.Malformed
    // A line costs its end too: lines without a text must not be free.
    const bytes = Buffer.byteLength(message ?? '') + Buffer.byteLength(fieldsJson ?? '') + 1
    if (message === undefined || (hasFields && fieldsJson === undefined) || bytes > room) {
      this.#logsDropped = true
      this.#addLog(logLimitNotice(maxLogBytes))
      return HostAnswer.Limit
    }
    this.#logBytes += bytes
    this.#addLog({ level, message, time: Date.now(), fieldsJson })
    return HostAnswer.Ok
  }

  #addLog(log: RawLog): void {
    this.#logs ??= []
    this.#logs.push(log)
  }

  #emit(args: readonly GuestPtr[]): number {
    const room = this.request.limits.maxResultBytes - this.#eventBytes
    const type = this.#text(args[1], MAX_NAME_BYTES)
    if (type === undefined || type === '') return HostAnswer.Malformed
    if (!isGranted(this.request.capabilities, `events:emit:${type}`)) return HostAnswer.Denied
    const dataJson = this.#text(args[2], room)
    const attributesJson = this.#text(args[3], MAX_ATTRIBUTES_BYTES)
    if (dataJson === undefined || attributesJson === undefined) return HostAnswer.Limit
    if (attributesJson !== 'null' && !attributesJson.startsWith('{')) return HostAnswer.Malformed
    const attributesBytes = attributesJson === 'null' ? 0 : Buffer.byteLength(attributesJson)
    const bytes = Buffer.byteLength(dataJson) + attributesBytes
    if (bytes > room) return HostAnswer.Limit
    this.#eventBytes += bytes
    this.#events ??= []
    this.#events.push({ type, dataJson, attributesJson })
    return HostAnswer.Ok
  }

  #callExtension(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    const extension = this.#text(args[2], MAX_NAME_BYTES)
    const method = this.#text(args[3], MAX_NAME_BYTES)
    if (!Number.isSafeInteger(id) || extension === undefined || method === undefined) {
      return HostAnswer.Malformed
    }
    if (!isGranted(this.request.capabilities, `ext:${extension}`)) return HostAnswer.Denied
    const encodedArguments = this.#text(args[4], this.request.limits.maxResultBytes)
    if (encodedArguments === undefined) return HostAnswer.Limit
    const bytes = Buffer.byteLength(encodedArguments)
    return this.#ask(id, bytes, { kind: 'extension', extension, method, encodedArguments })
  }

  #fetch(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    if (!Number.isSafeInteger(id)) return HostAnswer.Malformed
    // Base64 makes four characters of three bytes.
    const maxBytes = (this.request.limits.maxRequestBytes / 3) * 4 + MAX_REQUEST_HEAD_BYTES
    const encodedRequest = this.#text(args[2], maxBytes)
    if (encodedRequest === undefined) return HostAnswer.Limit
    const bytes = Buffer.byteLength(encodedRequest)
    return this.#ask(id, bytes, { kind: 'fetch', encodedRequest })
  }

  #ask(id: number, bytes: number, question: Question): number {
    // What waits on the host is memory that the guest takes, wherever it is.
    if (this.#pendingBytes + bytes > this.request.limits.memoryLimitBytes) return HostAnswer.Limit
    this.#pendingBytes += bytes
    this.#pending ??= new Map()
    this.#pending.set(id, bytes)
    this.#host.ask(this, id, question)
    return HostAnswer.Ok
  }

  #withdraw(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    if (!Number.isSafeInteger(id)) return HostAnswer.Malformed
    this.#host.withdraw(this, id)
    return HostAnswer.Ok
  }

  #setTimer(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    const delayMs = Math.min(this.#instance.readNumber(args[2] ?? 0), MAX_DELAY_MS)
    const repeats = this.#instance.readNumber(args[3] ?? 0) === 1
    if (!Number.isSafeInteger(id) || Number.isNaN(delayMs)) return HostAnswer.Malformed
    const timer = repeats
      ? setInterval(() => this.#fire(id, true), delayMs)
      : setTimeout(() => this.#fire(id, false), delayMs)
    this.#timers ??= new Map()
    this.#timers.set(id, timer)
    return HostAnswer.Ok
  }

  #clearTimer(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    clearTimeout(this.#timers?.get(id))
    this.#timers?.delete(id)
    return HostAnswer.Ok
  }
}
