import type { DiscardReason, GuestPtr, Lease, QuickJSInstance } from '@nexus/instance-pool'
import type { Answer, CallFailure, CallRequest, Question, RawResult } from '../call/call.js'
import {
  engineFailure,
  failureFromException,
  failureFromReport,
  memoryFailure,
  resultTooLarge,
  stuckFailure,
  timeoutFailure,
  tooDeepFailure,
  tooManyValuesFailure,
  trapFailure,
  unhandledRejection,
} from '../call/guest-failure.js'
import { queueWaitUs } from '../call/queue-wait.js'
import type { PreludeEntry } from '../guest/prelude-source.js'
import { hostCodec } from '../values/host-codec.js'
import { type HostCaller, HostCalls } from './host-calls.js'

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
  /** The answer to this question is no longer needed. */
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
  finish(call: GuestCall, result: RawResult, discard: DiscardReason | undefined): void
}

/** One call inside one sandbox: from handing over the event to the result. */
export class GuestCall implements HostCaller {
  readonly #entries: GuestEntries
  readonly #host: CallHost
  readonly #instance: QuickJSInstance
  readonly #hostCalls: HostCalls
  #startedAt = 0
  #deadlineAt = 0
  #result: GuestPtr = 0
  #over = false
  #waiting = false
  #deadlineTimer: NodeJS.Timeout | undefined
  #peakBytes = 0

  constructor(
    readonly request: CallRequest,
    readonly lease: Lease<QuickJSInstance>,
    entries: GuestEntries,
    host: CallHost,
  ) {
    this.#entries = entries
    this.#host = host
    this.#instance = lease.instance
    this.#hostCalls = new HostCalls(request, lease.instance, this)
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
  answer(id: number, answer: Answer): void {
    if (this.#over) return
    if ('refusal' in answer && answer.refusal !== undefined) {
      this.#hostCalls.refused(answer.refusal)
    }
    this.#hostCalls.answered(id)
    this.#wake((instance, args) => {
      const isResponse = 'response' in answer
      const encoded = isResponse ? hostCodec.encode(answer.response, 'response') : answer.encoded
      args.push(instance.newNumber(id), instance.newString(encoded))
      if (!isResponse && answer.failed) args.push(instance.newNumber(1))
      return this.#entries.settle
    })
  }

  /** Ends the call from outside: the thread shuts down. */
  abort(failure: CallFailure): void {
    if (!this.#over) this.#finish('', failure)
  }

  ask(id: number, question: Question): void {
    this.#host.ask(this, id, question)
  }

  withdraw(id: number): void {
    this.#host.withdraw(this, id)
  }

  fire(id: number): void {
    if (this.#over) return
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
      this.#finish(
        '',
        this.#instance.interrupted ? this.#timeoutFailure() : trapFailure(error),
        'trap',
      )
    } finally {
      this.#host.leave()
    }
  }

  #look(returned: GuestPtr): void {
    const instance = this.#instance
    if (instance.isException(returned)) this.#finishException()
    else if (returned === this.#result && instance.isString(returned)) this.#finishText(returned)
    else if (this.#noteUncaught(returned)) return
    else if (!instance.drainJobs()) this.#finishException()
    else if (instance.promiseState(this.#result) !== 'pending') this.#finishPromise()
    else if (this.#failUnhandled()) return
    else if (!this.#hostCalls.areOpen) this.#finishStuck()
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
    else if (!this.#failUnhandled()) this.#finishResult(text)
  }

  /** As in Node, a rejection fails the call when no job is left that could still handle it. */
  #failUnhandled(): boolean {
    const instance = this.#instance
    if (!instance.hasUnhandledRejection) return false
    if (!instance.drainJobs()) {
      this.#finishException()
      return true
    }
    const [reason] = instance.takeUnhandledRejections()
    if (reason === undefined) return false
    const described = instance.readString(instance.call(this.#entries.describe, reason))
    if (described === undefined) this.#finishInterrupted()
    else this.#finish('', unhandledRejection(this.#failureFromReport(described)))
    return true
  }

  /** The host's thread only parses what was counted here. */
  #finishResult(json: string): void {
    const verdict = this.#hostCalls.meter.add(json)
    if (verdict === 'ok') this.#finish(json, undefined)
    else if (verdict === 'large')
      this.#finish('', tooManyValuesFailure('The result and the events'))
    else
      this.#finish('', tooDeepFailure(hostCodec.deepPlace(JSON.parse(json), 'result') ?? 'result'))
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
      this.#hostCalls.refusals,
    )
    if (failure) this.#finish('', failure)
    else this.#finishInterrupted()
  }

  #finishTimeout(): void {
    this.#finish('', this.#timeoutFailure())
  }

  #timeoutFailure(): CallFailure {
    return timeoutFailure(this.request.limits.timeoutMs)
  }

  #finishStuck(): void {
    this.#finish('', this.#instance.allocationRefused ? memoryFailure() : stuckFailure())
  }

  #failureFromReport(described: string): CallFailure {
    return failureFromReport(described, this.#hostCalls.refusals, this.#instance.allocationRefused)
  }

  /** An allocation that fails inside the engine's own promise code leaves no exception behind. */
  #engineFailure(): CallFailure {
    if (this.#instance.allocationRefused) return memoryFailure()
    return engineFailure('The engine failed without an exception')
  }

  #finish(valueJson: string, failure: CallFailure | undefined, discard?: DiscardReason): void {
    this.#over = true
    clearTimeout(this.#deadlineTimer)
    this.#hostCalls.end()
    const now = performance.now()
    this.#notePeak()
    this.#host.finish(
      this,
      {
        valueJson,
        failure,
        events: failure ? [] : this.#hostCalls.events,
        logs: this.#hostCalls.logs,
        steps: this.#hostCalls.meter.steps,
        durationUs: (now - this.#startedAt) * 1000,
        queueWaitUs: queueWaitUs(this.request.submittedAt, this.#startedAt),
        memoryUsedBytes: this.#instance.allocatedBytes,
        memoryPeakBytes: this.#peakBytes,
        hostCalls: this.#hostCalls.count,
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

  readonly #onHostCall = (args: readonly GuestPtr[]): number => {
    this.#notePeak()
    return this.#hostCalls.serve(args)
  }
}
