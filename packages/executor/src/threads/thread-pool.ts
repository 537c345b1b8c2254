import {
  type CallFailure,
  type CallOutcome,
  type CallRequest,
  emptyOutcome,
  type HandlerCode,
} from '../call/call.js'
import { timeoutFailure } from '../call/guest-failure.js'
import type { SandboxLimits } from '../call/sandbox-engine.js'
import type { Dispatcher, DispatcherStats, GuestServices } from '../dispatcher.js'
import { drain } from '../drain.js'
import { CallCosts } from './call-costs.js'
import { Confinement } from './confinement.js'
import { ProfiledThreads, type ThreadProfile } from './profiled-threads.js'
import type { Asked, FromThread, ThreadData } from './protocol.js'
import { SandboxThread, type ThreadEnd } from './sandbox-thread.js'
import { addEnded, NO_STATS } from './thread-stats.js'

/** Work sent ahead to a thread: enough to keep it busy, little enough not to queue behind a slow call. */
const AHEAD_US = 5_000
const MAX_AHEAD = 512
/** How often a call is run again after its thread was ended by another's fault. */
const MAX_ATTEMPTS = 3
/** Threads that fail to start, in a row, before calls are failed instead of waiting for another try. */
const MAX_FAILED_STARTS = 3

export interface ThreadPoolOptions {
  threads: number
  maxQueue: number
  thread: Omit<ThreadData, 'status'>
}

interface PendingCall {
  readonly request: CallRequest
  readonly code: HandlerCode
  readonly resolve: (outcome: CallOutcome) => void
  attempts: number
  /** What this call counts for in its thread's load. */
  loadUs: number
  suspended: boolean
  /** Whether the host did something for it that running it again would do twice. */
  calledOut: boolean
}

interface Seat {
  readonly thread: SandboxThread
  readonly calls: Map<number, PendingCall>
  loadUs: number
}

/** Runs calls on worker threads: each is watched, and replaced when a call does not stop. */
export class ThreadPool implements Dispatcher {
  #options: ThreadPoolOptions
  readonly #services: GuestServices
  readonly #costs = new CallCosts()
  readonly #confinement = new Confinement()
  /** In the order of arrival. */
  readonly #queue = new Map<number, PendingCall>()
  readonly #confinedQueue = new Map<number, PendingCall>()
  readonly #seats = new Map<SandboxThread, Seat>()
  /** A started thread without work, to take the place of one that is killed; kept from the first kill on. */
  #spare: Seat | undefined
  /** Where confined handlers run, one call at a time; started when the first one comes. */
  #confinedSeat: Seat | undefined
  #failedStarts = 0
  #startError: Error | undefined
  /** What threads that have ended had counted. */
  #ended = NO_STATS
  #threadKills = 0
  #threadCrashes = 0
  /** Calls submitted and not yet over. */
  #open = 0
  #idleWaiters: (() => void)[] = []
  #profiled: ProfiledThreads | undefined
  #lastProfileId = 0
  #closing: Promise<void> | undefined
  /** Whether the time for calls to finish is over. */
  #drained = false

  constructor(options: ThreadPoolOptions, services: GuestServices) {
    this.#options = options
    this.#services = services
    for (let i = 0; i < options.threads; i++) this.#addSeat()
  }

  submit(request: CallRequest, code: HandlerCode): Promise<CallOutcome> {
    return new Promise((settle) => {
      if (++this.#open === 1) this.#holdThreads()
      const resolve = (outcome: CallOutcome) => {
        if (--this.#open === 0) this.#becameIdle()
        settle(outcome)
      }
      const call: PendingCall = {
        request,
        code,
        resolve,
        attempts: 0,
        loadUs: 0,
        suspended: false,
        calledOut: false,
      }
      this.#enqueue(call)
    })
  }

  #enqueue(call: PendingCall): void {
    if (this.#startError) {
      this.#fail(call, this.#startFailure())
      return
    }
    const { id, handlerKey } = call.request
    const queue = this.#confinement.isConfined(handlerKey) ? this.#confinedQueue : this.#queue
    queue.set(id, call)
    this.#dispatch()
    const waiting = this.#queue.size + this.#confinedQueue.size
    if (waiting > this.#options.maxQueue && queue.delete(id))
      this.#fail(call, queueFull(waiting - 1))
  }

  getStats(): DispatcherStats {
    const seats = this.#allSeats()
    return {
      engines: [...seats.map(({ thread }) => thread.stats), this.#ended],
      queued: this.#queue.size + this.#confinedQueue.size,
      running: seats.reduce((sum, { calls }) => sum + calls.size, 0),
      threadKills: this.#threadKills,
      threadCrashes: this.#threadCrashes,
      confinedHandlers: this.#confinement.size,
    }
  }

  resize(limits: SandboxLimits): void {
    const { thread } = this.#options
    const engine = { ...thread.engine, ...limits }
    this.#options = { ...this.#options, thread: { ...thread, engine } }
    for (const seat of this.#allSeats()) seat.thread.send({ kind: 'resize', limits })
  }

  startProfile(samplingIntervalUs: number): void {
    if (this.#profiled) return
    this.#profiled = new ProfiledThreads(++this.#lastProfileId, samplingIntervalUs)
    for (const { thread } of this.#allSeats()) this.#profiled.add(thread)
  }

  async stopProfile(patienceMs: number): Promise<ThreadProfile[]> {
    const profiles = (await this.#profiled?.stop(patienceMs)) ?? []
    this.#profiled = undefined
    return profiles
  }

  shutdown(drainTimeoutMs: number): Promise<void> {
    this.#closing ??= this.#shutdown(drainTimeoutMs)
    return this.#closing
  }

  async #shutdown(drainTimeoutMs: number): Promise<void> {
    if (this.#open > 0) {
      await drain(new Promise<void>((resolve) => this.#idleWaiters.push(resolve)), drainTimeoutMs)
    }
    this.#drained = true
    const stuck = this.#open > 0
    this.#failQueued(cutShort())
    await Promise.all(
      this.#allSeats().map(({ thread }) => (stuck ? thread.terminate() : thread.shutdown())),
    )
  }

  #allSeats(): Seat[] {
    const others = [this.#confinedSeat, this.#spare].filter((seat) => seat !== undefined)
    return [...this.#seats.values(), ...others]
  }

  /** The process must not end while a call is under way, and must not stay for idle threads. */
  #holdThreads(): void {
    for (const { thread } of this.#allSeats()) thread.hold(this.#open > 0)
  }

  #becameIdle(): void {
    this.#holdThreads()
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #openSeat(): Seat {
    const thread = new SandboxThread(this.#options.thread, {
      message: (from, message) => this.#receive(from, message),
      ended: (from, end) => this.#threadEnded(from, end),
    })
    thread.hold(this.#open > 0)
    this.#profiled?.add(thread)
    return { thread, calls: new Map(), loadUs: 0 }
  }

  #addSeat(): void {
    const seat = this.#takeSpare() ?? this.#openSeat()
    this.#seats.set(seat.thread, seat)
  }

  #takeSpare(): Seat | undefined {
    const spare = this.#spare
    this.#spare = undefined
    return spare
  }

  #seatOf(thread: SandboxThread): Seat | undefined {
    if (this.#confinedSeat?.thread === thread) return this.#confinedSeat
    if (this.#spare?.thread === thread) return this.#spare
    return this.#seats.get(thread)
  }

  #dispatch(): void {
    for (const call of this.#queue.values()) {
      const seat = this.#freestSeat(call.request.handlerKey)
      if (!seat) break
      this.#queue.delete(call.request.id)
      this.#send(seat, call)
    }
    this.#dispatchConfined()
  }

  #dispatchConfined(): void {
    const [call] = this.#confinedQueue.values()
    if (!call) return
    this.#confinedSeat ??= this.#takeSpare() ?? this.#openSeat()
    const seat = this.#confinedSeat
    if (!seat.thread.ready || seat.calls.size > 0) return
    this.#confinedQueue.delete(call.request.id)
    this.#send(seat, call)
  }

  #freestSeat(handlerKey: string): Seat | undefined {
    let best: Seat | undefined
    for (const seat of this.#seats.values()) {
      if (!seat.thread.ready || seat.calls.size >= MAX_AHEAD) continue
      if (seat.loadUs > 0 && seat.loadUs + this.#costs.estimateUs(handlerKey) > AHEAD_US) continue
      if (!best || seat.loadUs < best.loadUs) best = seat
      else if (seat.loadUs === best.loadUs && !best.thread.knows(handlerKey)) best = seat
    }
    return best
  }

  #send(seat: Seat, call: PendingCall): void {
    const { request, code } = call
    const { thread } = seat
    call.attempts++
    call.loadUs = this.#costs.estimateUs(request.handlerKey)
    call.suspended = false
    seat.loadUs += call.loadUs
    seat.calls.set(request.id, call)
    if (!thread.knows(request.handlerKey)) thread.teach(request.handlerKey, code)
    thread.send({ kind: 'call', request })
    thread.busy(request.limits.timeoutMs + this.#options.thread.hardTimeoutGraceMs)
  }

  #receive(thread: SandboxThread, message: FromThread): void {
    if (message.kind === 'ready') {
      this.#failedStarts = 0
      this.#startError = undefined
      this.#dispatch()
      return
    }
    if (message.kind === 'profiled') {
      this.#profiled?.received(thread, message)
      return
    }
    const seat = this.#seatOf(thread)
    const call = seat?.calls.get(message.callId)
    if (!seat || !call) return
    switch (message.kind) {
      case 'finished':
        if (!call.suspended) this.#costs.record(call.request.handlerKey, message.outcome.durationUs)
        this.#confinement.finished(call.request.handlerKey)
        this.#leaveSeat(seat, call)
        call.resolve(message.outcome)
        break
      case 'unknown-handler':
        thread.forget(call.request.handlerKey)
        this.#leaveSeat(seat, call)
        this.#send(seat, call)
        return
      case 'suspended':
        seat.loadUs -= call.loadUs
        call.loadUs = 0
        call.suspended = true
        break
      case 'asked':
        call.calledOut = true
        void this.#answer(thread, call.request, message)
        return
      case 'withdrawn':
        this.#services.withdraw(message.callId, message.id)
        return
    }
    this.#dispatch()
  }

  async #answer(thread: SandboxThread, request: CallRequest, asked: Asked): Promise<void> {
    const { callId, id, question } = asked
    const answer = await this.#services.answer(request, id, question)
    if (answer) thread.send({ kind: 'answer', callId, id, answer })
  }

  #leaveSeat(seat: Seat, call: PendingCall): void {
    seat.calls.delete(call.request.id)
    seat.loadUs -= call.loadUs
    if (seat.calls.size === 0) {
      seat.loadUs = 0
      seat.thread.idle()
    }
  }

  #threadEnded(thread: SandboxThread, end: ThreadEnd): void {
    const seat = this.#seatOf(thread)
    if (!seat) return
    this.#seats.delete(thread)
    this.#profiled?.ended(thread)
    if (seat === this.#confinedSeat) this.#confinedSeat = undefined
    if (seat === this.#spare) this.#spare = undefined
    this.#ended = addEnded(this.#ended, thread.stats)

    if (this.#drained) {
      for (const call of seat.calls.values()) this.#fail(call, cutShort())
      return
    }
    if (end.overdueCallId === undefined) this.#threadCrashes++
    else this.#threadKills++
    this.#failedStarts = thread.ready ? 0 : this.#failedStarts + 1
    if (this.#failedStarts < MAX_FAILED_STARTS) {
      while (this.#seats.size < this.#options.threads) this.#addSeat()
      this.#spare ??= this.#openSeat()
    } else if (![...this.#seats.values()].some((other) => other.thread.ready)) {
      this.#startError = end.error ?? new Error('unknown')
    }

    this.#settleCallsOf(seat, end)
    if (this.#startError) this.#failQueued(this.#startFailure())
    this.#dispatch()
  }

  #settleCallsOf(seat: Seat, { overdueCallId, runningCallId, error }: ThreadEnd): void {
    const again: PendingCall[] = []
    for (const call of seat.calls.values()) {
      const { id, handlerKey, limits } = call.request
      if (id === overdueCallId) {
        this.#confinement.killed(handlerKey)
        this.#fail(call, timeoutFailure(limits.timeoutMs))
      } else if (overdueCallId === undefined && id === runningCallId) {
        this.#fail(call, threadFailure(`The thread of the call died: ${error?.message}`))
      } else if (call.calledOut || call.attempts >= MAX_ATTEMPTS) {
        this.#fail(call, threadFailure('The thread was stopped because of another handler'))
      } else {
        again.push(call)
      }
    }
    // They were first before, and nothing of them has left the thread.
    const rest = [...this.#queue.values()]
    this.#queue.clear()
    for (const call of [...again, ...rest]) this.#queue.set(call.request.id, call)
  }

  #failQueued(failure: CallFailure): void {
    for (const queue of [this.#queue, this.#confinedQueue]) {
      const calls = [...queue.values()]
      queue.clear()
      for (const call of calls) this.#fail(call, failure)
    }
  }

  #startFailure(): CallFailure {
    return threadFailure(
      `Worker threads cannot be started, ${MAX_FAILED_STARTS} in a row failed: ${this.#startError?.message}`,
    )
  }

  #fail(call: PendingCall, failure: CallFailure): void {
    call.resolve(emptyOutcome(failure))
  }
}

function threadFailure(message: string): CallFailure {
  return { code: 'INTERNAL_ERROR', report: { name: 'ThreadError', message } }
}

function cutShort(): CallFailure {
  return threadFailure('The runtime was shut down before the call had ended')
}

function queueFull(waiting: number): CallFailure {
  return {
    code: 'POOL_EXHAUSTED',
    report: {
      name: 'QueueFullError',
      message: `${waiting} calls already wait for a thread; send less at once, or raise maxQueue or threads`,
    },
  }
}
