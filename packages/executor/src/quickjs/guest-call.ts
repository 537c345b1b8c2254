import type { DiscardReason, GuestPtr, Lease, QuickJSInstance } from '@nexus/instance-pool'
import type {
  Answer,
  CallFailure,
  CallRequest,
  Evaluation,
  Question,
  RawResult,
  Resumption,
} from '../call/call.js'
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
import type { FrozenCall } from '../freeze/frozen-sandbox.js'
import type { PartName } from '../guest/platform/part.js'
import type { PreludeEntry } from '../guest/prelude-source.js'
import { NativeCalls } from '../native/native-calls.js'
import type { NativeObjects } from '../native/native-objects.js'
import type { NativeAnswer } from '../native/native-service.js'
import type { ThreadPoolGate } from '../native/thread-pool-slots.js'
import { hostCodec } from '../values/host-codec.js'
import { type HostCaller, HostCalls } from './host-calls.js'
import { type PartBytecodes, PartInstaller } from './part-installer.js'

/** What the description of an error can grow to: no limit of the result may hide why a call failed. */
const MAX_REPORT_BYTES = 2 * 1024 * 1024

/** A UTF-16 unit takes at most three bytes of UTF-8: most texts need not be counted. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes
}

/** Where the functions of the prelude are in the guest. */
export type GuestEntries = Readonly<Record<PreludeEntry, GuestPtr>>

/** What a guest is made of in addition to its memory. */
export interface GuestParts {
  readonly entries: GuestEntries
  /** The parts of the platform that its call may install. */
  readonly parts: PartBytecodes
  /** What the host keeps for its call. */
  readonly objects: NativeObjects
}

/** What a call needs of the engine that runs it. */
export interface CallHost {
  /** Lets native work onto the thread pool. */
  readonly gate: ThreadPoolGate
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
  #frozen: Pick<FrozenCall, 'waits' | 'timers' | 'resultPtr'> | undefined
  readonly #parts: PartInstaller
  readonly #objects: NativeObjects

  constructor(
    readonly request: CallRequest,
    readonly lease: Lease<QuickJSInstance>,
    guest: GuestParts,
    host: CallHost,
  ) {
    const { entries, parts, objects } = guest
    this.#entries = entries
    this.#objects = objects
    this.#host = host
    this.#instance = lease.instance
    this.#parts = new PartInstaller(lease.instance, entries.install, parts)
    this.#hostCalls = new HostCalls(request, lease.instance, this)
  }

  /**
   * Runs the handler until it is done or waits for something.
   *
   * @param timeoutMs what loading the module has left of the call's time
   */
  start(timeoutMs: number): void {
    const { eventJson = 'null' } = this.request
    const instance = this.#instance
    this.#begin(timeoutMs, undefined, () => {
      const event = instance.newString(eventJson)
      const context = this.#newContext()
      const deadline = instance.newNumber(Date.now() + timeoutMs)
      this.#result = instance.call(this.#entries.run, event, context, deadline)
      instance.free(event)
      instance.free(deadline)
      this.#freeContext(context)
      return this.#result
    })
  }

  /**
   * Runs a script of a context until it is done or waits for something.
   *
   * @param parts the parts of the platform that it names
   */
  evaluate({ script, filename, sandbox }: Evaluation, parts: ReadonlySet<PartName>): void {
    const instance = this.#instance
    const { enter, evaluated } = this.#entries
    this.#begin(this.request.limits.timeoutMs, sandbox?.elapsedMs, () => {
      const names = instance.newString(JSON.stringify([...parts]))
      const context = this.#newContext()
      const entered = instance.call(enter, names, context)
      instance.free(names)
      this.#freeContext(context)
      if (instance.isException(entered)) return entered
      instance.free(entered)
      const promise = instance.evalScript(script, filename)
      if (instance.isException(promise)) return promise
      this.#result = instance.call(evaluated, promise)
      instance.free(promise)
      return this.#result
    })
  }

  /** Goes on with a call that was frozen, until it is done or waits for something. */
  resume({ call, settled }: Resumption): void {
    const { timeoutMs } = this.request.limits
    const { sandbox, timers, waits, resultPtr } = call
    const instance = this.#instance
    this.#result = resultPtr
    this.#begin(timeoutMs, sandbox.elapsedMs, () => {
      this.#hostCalls.goOn(timers, waits)
      const context = this.#newContext()
      const deadline = instance.newNumber(Date.now() + timeoutMs)
      const resumed = instance.call(this.#entries.resume, context, deadline)
      instance.free(deadline)
      this.#freeContext(context)
      if (instance.isException(resumed)) return resumed
      instance.free(resumed)
      return this.#settleWaits(settled)
    })
  }

  /**
   * Starts the time of the call, and enters the guest.
   *
   * @param elapsedMs what the guest's monotonic clock said when it was frozen
   */
  #begin(timeoutMs: number, elapsedMs: number | undefined, enter: () => GuestPtr): void {
    const { memoryLimitBytes } = this.request.limits
    this.#startedAt = performance.now()
    this.#deadlineAt = this.#startedAt + timeoutMs
    this.#run(() => {
      this.#instance.begin(this.#deadlineAt, memoryLimitBytes, this.#onHostCall, elapsedMs)
      return enter()
    })
  }

  /** The facts of the call, for {@link #freeContext} to free. */
  #newContext(): GuestPtr {
    const { contextJson } = this.request
    const instance = this.#instance
    return contextJson === undefined ? instance.undefinedPtr : instance.newString(contextJson)
  }

  /** The engine's `undefined` is shared, and stays. */
  #freeContext(context: GuestPtr): void {
    if (context !== this.#instance.undefinedPtr) this.#instance.free(context)
  }

  /** What the call waits for while it stands still; undefined for a call that ended. */
  get frozen(): Pick<FrozenCall, 'waits' | 'timers' | 'resultPtr'> | undefined {
    return this.#frozen
  }

  /**
   * Settles waits of the guest, at least one.
   *
   * @returns what the guest returned last, for {@link #look} to free, or an exception
   */
  #settleWaits(settled: Resumption['settled']): GuestPtr {
    const instance = this.#instance
    let returned: GuestPtr | undefined
    for (const { id, encoded, failed } of settled) {
      if (returned !== undefined) instance.free(returned)
      this.#hostCalls.waited(id)
      const args = [instance.newNumber(id), instance.newString(encoded)]
      if (failed) args.push(instance.newNumber(1))
      const exception = args.find((arg) => instance.isException(arg))
      returned = exception ?? instance.call(this.#entries.settle, ...args)
      for (const arg of args) if (arg !== returned) instance.free(arg)
      if (instance.isException(returned)) return returned
    }
    return returned!
  }

  /** The call waits for what may take days: it ends here, and another goes on with it. */
  #suspend(): void {
    const obstacle = this.#hostCalls.obstacle ?? this.#objects.obstacle
    if (obstacle !== undefined) {
      const error = new Error(`The call cannot be suspended: ${obstacle} cannot be stored`)
      const encoded = hostCodec.encode(error, 'error')
      const settled = [...this.#hostCalls.waits.keys()].map((id) => ({ id, encoded, failed: true }))
      this.#look(this.#settleWaits(settled))
      return
    }
    this.#frozen = {
      waits: [...this.#hostCalls.waits.values()],
      timers: this.#hostCalls.pausedTimers(),
      resultPtr: this.#result,
    }
    this.#finish('', undefined)
  }

  /** The parts of the platform that the handler's image did not have and the call needed. */
  get installedParts(): ReadonlySet<PartName> {
    return this.#parts.installed
  }

  /** Hands the guest an answer of the host's thread. One that comes too late is ignored. */
  answer(id: number, answer: Answer): void {
    if (this.#over) return
    if ('refusal' in answer && answer.refusal !== undefined) {
      this.#hostCalls.refused(answer.refusal)
    }
    this.#hostCalls.answered(id, answer)
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

  install(part: string | undefined): number {
    return this.#parts.install(part)
  }

  openNative(): NativeCalls {
    return new NativeCalls({
      instance: this.#instance,
      objects: this.#objects,
      gate: this.#host.gate,
      memoryLimitBytes: this.request.limits.memoryLimitBytes,
      caller: {
        refused: (answer) => this.#hostCalls.refused(answer),
        settle: (id, answer) => this.#settle(id, answer),
      },
    })
  }

  #settle(id: number, answer: NativeAnswer): void {
    this.#wake((instance, args) => {
      args.push(instance.newNumber(id))
      args.push(typeof answer === 'string' ? instance.newString(answer) : instance.newBytes(answer))
      return this.#entries.settle
    })
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
    // Where answers come faster than they are taken, the timer of the deadline never has its turn.
    if (performance.now() >= this.#deadlineAt) {
      this.#finishTimeout()
      return
    }
    this.#run(() => {
      const args: GuestPtr[] = []
      const entry = prepare(instance, args)
      // What does not fit into the guest's memory is an exception instead of a value.
      const exception = args.find((arg) => instance.isException(arg))
      const returned = exception ?? instance.call(entry, ...args)
      for (const arg of args) if (arg !== returned) instance.free(arg)
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
    else if (this.#hostCalls.waits.size > 0 && !this.#hostCalls.areAnswersDue) this.#suspend()
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
