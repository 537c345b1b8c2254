import {
  type DiscardReason,
  InstancePool,
  type Lease,
  PoolError,
  type QuickJSInstance,
  QuickJSKind,
  type QuickJSUse,
} from '@nexus/instance-pool'
import {
  type Answer,
  type CallFailure,
  type CallRequest,
  emptyRawResult,
  type RawResult,
} from '../call/call.js'
import type { SandboxEngineStats } from '../call/engine-stats.js'
import { engineFailure } from '../call/guest-failure.js'
import { queueWaitUs } from '../call/queue-wait.js'
import type {
  EngineListener,
  SandboxEngine,
  SandboxEngineOptions,
  SandboxLimits,
} from '../call/sandbox-engine.js'
import { describeThrown } from '../values/describe-thrown.js'
import { type CallHost, GuestCall, type GuestEntries } from './guest-call.js'
import { HandlerStore } from './handler-store.js'
import { LoadFailure } from './module-loader.js'
import { TimeBudget } from './time-budget.js'

interface Running {
  readonly call: GuestCall
  readonly use: QuickJSUse
  suspendedAs: string | undefined
}

/** Runs calls of JavaScript handlers in the sandboxes of one thread. */
export class QuickjsEngine implements SandboxEngine<Uint8Array> {
  readonly #pool: InstancePool<QuickJSInstance, QuickJSUse>
  readonly #store: HandlerStore
  readonly #listener: EngineListener
  readonly #running = new Map<number, Running>()
  readonly #host: CallHost

  constructor(options: SandboxEngineOptions, listener: EngineListener) {
    this.#listener = listener
    this.#store = new HandlerStore(options.maxStackBytes, options.maxHandlerBytes)
    this.#pool = new InstancePool(new QuickJSKind(), { maxInstances: options.maxInstances })
    this.#host = {
      ask: (call, id, question) => listener.asked(call.request.id, id, question),
      withdraw: (call, id) => listener.withdrawn(call.request.id, id),
      enter: (call, deadlineInMs) => listener.entered(call.request.id, deadlineInMs),
      leave: () => listener.left(),
      suspend: (call) => this.#suspend(call),
      resume: (call) => this.#resume(call),
      finish: (call, result, discard) => this.#finish(call, result, discard),
    }
  }

  /** Starts the engine, so that the first call does not. */
  async warmUp(): Promise<void> {
    await this.#store.smallestLoader()
  }

  hasHandler(key: string): boolean {
    return this.#store.has(key)
  }

  addHandler(key: string, bytecode: Uint8Array): void {
    this.#store.add(key, bytecode)
  }

  run(request: CallRequest): void {
    const use = this.#store.peek(request.handlerKey, request.isolation)
    const lease = use && request.eventJson !== undefined && this.#pool.tryAcquire(use)
    if (lease) this.#start(request, use, lease)
    else void this.#runLater(request)
  }

  /** Hands a guest the answer to its question; ignored when the call is over. */
  answer(callId: number, id: number, answer: Answer): void {
    this.#running.get(callId)?.call.answer(id, answer)
  }

  getStats(): SandboxEngineStats {
    return {
      pool: this.#pool.getStats(),
      handlers: this.#store.size,
      handlerBytes: this.#store.bytes,
      handlerLoads: this.#store.loads,
      handlerEvictions: this.#store.evictions,
    }
  }

  resize({ maxInstances, maxHandlerBytes }: SandboxLimits): void {
    this.#pool.resize(maxInstances)
    this.#store.resize(maxHandlerBytes)
  }

  async shutdown(): Promise<void> {
    for (const { call } of [...this.#running.values()]) {
      call.abort(engineFailure('The runtime was shut down while the handler waited for an answer'))
    }
    await this.#pool.shutdown()
    await this.#store.dispose()
  }

  async #runLater(request: CallRequest): Promise<void> {
    let failure: CallFailure | undefined
    const time = new TimeBudget(request.limits.timeoutMs)
    try {
      const use =
        this.#store.peek(request.handlerKey, request.isolation) ?? (await this.#load(request, time))
      if (use instanceof LoadFailure) {
        failure = use.failure
      } else if (request.eventJson !== undefined) {
        return this.#start(request, use, await this.#pool.acquire(use), time.leftMs)
      }
    } catch (error) {
      failure =
        error instanceof PoolError && error.code === 'POOL_EXHAUSTED'
          ? {
              code: 'POOL_EXHAUSTED',
              report: { name: error.name, message: error.message },
            }
          : engineFailure(describeThrown(error).message)
    }
    this.#listener.finished(request, emptyRawResult(failure, queueWaitUs(request.submittedAt)))
  }

  /** What the module takes, in all attempts to find the heap it needs, is taken from the call's time. */
  #load(request: CallRequest, time: TimeBudget): Promise<QuickJSUse | LoadFailure> {
    return this.#store.load(request.handlerKey, request.isolation, request.limits, {
      enter: () => {
        this.#listener.entered(request.id, time.leftMs)
        return time.start()
      },
      leave: () => {
        time.stop()
        this.#listener.left()
      },
    })
  }

  #start(
    request: CallRequest,
    use: QuickJSUse,
    lease: Lease<QuickJSInstance>,
    timeoutMs = request.limits.timeoutMs,
  ): void {
    const call = new GuestCall(request, lease, use.template.entries as GuestEntries, this.#host)
    this.#running.set(request.id, { call, use, suspendedAs: undefined })
    call.start(timeoutMs)
  }

  #suspend(call: GuestCall): void {
    const running = this.#running.get(call.request.id)
    if (!running) return
    running.suspendedAs = this.#pool.suspend(call.lease)
    this.#listener.suspended(call.request.id)
  }

  #resume(call: GuestCall): void {
    const running = this.#running.get(call.request.id)
    if (running?.suspendedAs === undefined) return
    this.#pool.resume(running.suspendedAs)
    running.suspendedAs = undefined
  }

  #finish(call: GuestCall, result: RawResult, discard: DiscardReason | undefined): void {
    const { request, lease } = call
    const running = this.#running.get(request.id)
    this.#resume(call)
    this.#running.delete(request.id)
    const { instance } = lease
    if (running && request.isolation === 'pristine' && instance.hasGrown) {
      this.#store.outgrew(request.handlerKey, running.use, instance.memoryBytes)
    }
    this.#pool.release(lease, discard ?? this.#mustReset(request, result))
    this.#listener.finished(request, result)
  }

  /** A shared instance whose call was cut short is in an unknown state: its module starts over. */
  #mustReset(request: CallRequest, result: RawResult): DiscardReason | undefined {
    const cutShort =
      result.failure !== undefined &&
      ['TIMEOUT', 'MEMORY_LIMIT', 'STACK_OVERFLOW', 'INTERNAL_ERROR'].includes(result.failure.code)
    return request.isolation === 'shared' && cutShort ? 'engine-error' : undefined
  }
}
