import { describeThrown, type Logger } from '@nexus/diagnostics'
import {
  type CallFailure,
  type CallRequest,
  emptyRawResult,
  type HandlerCode,
  type RawResult,
} from '../call/call.js'
import { queueFullFailure, shutdownFailure, threadFailure } from '../call/dispatch-failures.js'
import { timeoutFailure } from '../call/guest-failure.js'
import type { SandboxLimits } from '../call/sandbox-engine.js'
import type { Dispatcher, DispatcherStats, GuestServices } from '../dispatcher.js'
import { drain } from '../drain.js'
import { CallCosts } from './call-costs.js'
import { CallQueue } from './call-queue.js'
import { Confinement } from './confinement.js'
import type { PendingCall } from './pending-call.js'
import { ProfiledThreads, type ThreadProfile } from './profiling/profiled-threads.js'
import type { Asked, FromThread, ThreadData } from './protocol.js'
import { SandboxThread, type ThreadEnd } from './sandbox-thread.js'
import { Seat } from './seat.js'
import { Seats } from './seats.js'
import { addEnded, NO_STATS } from './thread-stats.js'

/** How often a call is run again after its thread was ended by another's fault. */
const MAX_ATTEMPTS = 3

/** Options of a {@link ThreadPool}. */
export interface ThreadPoolOptions {
  threads: number
  maxQueue: number
  logger: Logger
  thread: Omit<ThreadData, 'status'>
}

/** Runs calls on worker threads: each is watched, and replaced when a call does not stop. */
export class ThreadPool implements Dispatcher {
  #options: ThreadPoolOptions
  readonly #services: GuestServices
  readonly #costs = new CallCosts()
  readonly #confinement = new Confinement()
  readonly #queue = new CallQueue()
  readonly #seats: Seats
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
    this.#seats = new Seats(options.threads, () => this.#openSeat())
  }

  submit(request: CallRequest, code: HandlerCode | undefined): Promise<RawResult> {
    if (this.#drained) return Promise.resolve(emptyRawResult(shutdownFailure()))
    return new Promise((settle) => {
      if (++this.#open === 1) this.#holdThreads()
      const resolve = (result: RawResult) => {
        if (--this.#open === 0) this.#becameIdle()
        settle(result)
      }
      this.#enqueue({
        request,
        code,
        resolve,
        attempts: 0,
        loadUs: 0,
        suspended: false,
        calledOut: false,
      })
    })
  }

  getStats(): DispatcherStats {
    const seats = this.#seats.all()
    return {
      engines: [...seats.map(({ thread }) => thread.stats), this.#ended],
      queued: this.#queue.size,
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
    for (const seat of this.#seats.all()) seat.thread.send({ kind: 'resize', limits })
  }

  startProfile(samplingIntervalUs: number): void {
    if (this.#profiled) return
    this.#profiled = new ProfiledThreads(++this.#lastProfileId, samplingIntervalUs)
    for (const { thread } of this.#seats.all()) this.#profiled.add(thread)
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
    this.#failQueued(shutdownFailure())
    await Promise.all(
      this.#seats.all().map(({ thread }) => (stuck ? thread.terminate() : thread.shutdown())),
    )
  }

  /** The process must not end while a call is under way, and must not stay for idle threads. */
  #holdThreads(): void {
    for (const { thread } of this.#seats.all()) thread.hold(this.#open > 0)
  }

  #becameIdle(): void {
    this.#holdThreads()
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #openSeat(): Seat {
    const { thread: data } = this.#options
    const thread = new SandboxThread(data, {
      message: (from, message) => this.#receive(from, message),
      ended: (from, end) => this.#threadEnded(from, end),
    })
    thread.hold(this.#open > 0)
    this.#profiled?.add(thread)
    return new Seat(thread, data.hardTimeoutGraceMs)
  }

  #enqueue(call: PendingCall): void {
    const { startFailure } = this.#seats
    if (startFailure !== undefined) {
      this.#fail(call, threadFailure(startFailure))
      return
    }
    this.#queue.add(call, this.#confinement.isConfined(call.request.handlerKey))
    this.#dispatch()
    const waiting = this.#queue.size
    if (waiting > this.#options.maxQueue && this.#queue.remove(call)) {
      this.#fail(call, queueFullFailure(waiting - 1))
    }
  }

  #dispatch(): void {
    for (const call of this.#queue.shared()) {
      const { handlerKey } = call.request
      const costUs = this.#costs.estimateUs(handlerKey)
      const seat = this.#seats.freest(handlerKey, costUs)
      if (!seat) break
      this.#send(seat, call, costUs)
    }
    const confined = this.#queue.firstConfined()
    const seat = confined && this.#seats.freeConfined()
    if (confined && seat) this.#send(seat, confined)
  }

  #send(
    seat: Seat,
    call: PendingCall,
    costUs = this.#costs.estimateUs(call.request.handlerKey),
  ): void {
    this.#queue.remove(call)
    seat.send(call, costUs)
  }

  #receive(thread: SandboxThread, message: FromThread): void {
    if (message.kind === 'ready') {
      this.#seats.started()
      this.#dispatch()
      return
    }
    if (message.kind === 'profiled') {
      this.#profiled?.received(thread, message)
      return
    }
    const seat = this.#seats.of(thread)
    const call = seat?.calls.get(message.callId)
    if (!seat || !call) return
    switch (message.kind) {
      case 'finished':
        if (!call.suspended) this.#costs.record(call.request.handlerKey, message.result.durationUs)
        this.#confinement.finished(call.request.handlerKey)
        seat.leave(call)
        call.resolve(message.result)
        break
      case 'unknown-handler':
        thread.forget(call.request.handlerKey)
        seat.leave(call)
        this.#send(seat, call)
        return
      case 'suspended':
        seat.suspend(call)
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

  #threadEnded(thread: SandboxThread, end: ThreadEnd): void {
    const seat = this.#seats.of(thread)
    if (!seat) return
    this.#seats.remove(seat)
    this.#profiled?.ended(thread)
    this.#ended = addEnded(this.#ended, thread.stats)
    if (this.#drained) {
      for (const call of seat.calls.values()) this.#fail(call, shutdownFailure())
      return
    }
    this.#countEnd(end)
    this.#seats.replace(thread, end.error)
    this.#settleCallsOf(seat, end)
    const { startFailure } = this.#seats
    if (startFailure !== undefined) this.#failQueued(threadFailure(startFailure))
    this.#dispatch()
  }

  #countEnd({ overdueCallId, error }: ThreadEnd): void {
    const { logger } = this.#options
    if (overdueCallId !== undefined) {
      this.#threadKills++
      logger.warn({}, 'a thread was ended, because its call did not stop at its time limit')
      return
    }
    this.#threadCrashes++
    logger.error({ reason: describeThrown(error).message }, 'a thread of calls died')
  }

  #settleCallsOf(seat: Seat, { overdueCallId, runningCallId, error }: ThreadEnd): void {
    const again: PendingCall[] = []
    for (const call of seat.calls.values()) {
      const { id, handlerKey, limits } = call.request
      if (id === overdueCallId) {
        this.#confinement.killed(handlerKey)
        this.#fail(call, timeoutFailure(limits.timeoutMs))
      } else if (overdueCallId === undefined && id === runningCallId) {
        this.#fail(
          call,
          threadFailure(`The thread of the call died: ${describeThrown(error).message}`),
        )
      } else if (call.calledOut || call.attempts >= MAX_ATTEMPTS) {
        this.#fail(call, threadFailure('The thread was stopped because of another handler'))
      } else {
        again.push(call)
      }
    }
    this.#queue.putFirst(again)
  }

  #failQueued(failure: CallFailure): void {
    for (const call of this.#queue.clear()) this.#fail(call, failure)
  }

  #fail(call: PendingCall, failure: CallFailure): void {
    call.resolve(emptyRawResult(failure))
  }
}
