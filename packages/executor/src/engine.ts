import {
  type DiscardReason,
  InstancePool,
  type InstancePoolStats,
  type Lease,
  PoolError,
  type QuickJSInstance,
  QuickJSKind,
  type QuickJSUse,
} from '@nexus/instance-pool'
import {
  type Answer,
  type CallFailure,
  type CallOutcome,
  type CallRequest,
  emptyOutcome,
  type HandlerCode,
  type Question,
} from './call/call.js'
import { engineFailure } from './call/guest-failure.js'
import { queueWaitUs } from './call/queue-wait.js'
import { type CallHost, GuestCall, type GuestEntries } from './quickjs/guest-call.js'
import { HandlerStore } from './quickjs/handler-store.js'
import { LoadFailure } from './quickjs/module-loader.js'
import { TimeBudget } from './quickjs/time-budget.js'
import { WasiEngine } from './wasi/wasi-engine.js'

export interface SandboxEngineOptions extends SandboxLimits {
  maxStackBytes: number
}

/** What may be changed while an engine runs. */
export interface SandboxLimits {
  maxInstances: number
  maxHandlerBytes: number
}

/** Who an engine tells what happens; on a thread this posts messages, inline it calls functions. */
export interface EngineListener {
  /** A call is over. */
  finished(request: CallRequest, outcome: CallOutcome): void
  /** A guest asks something; {@link SandboxEngine.answer} brings the answer. */
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

export type EnginePoolStats = Omit<InstancePoolStats, 'limits'>

export interface SandboxEngineStats {
  /** Of JavaScript handlers and WASI commands together. */
  pool: EnginePoolStats
  /** How many handlers are kept ready, and what they hold. */
  handlers: number
  handlerBytes: number
  /** Totals: handlers made ready for a call, and those dropped for space. */
  handlerLoads: number
  handlerEvictions: number
}

interface Running {
  readonly call: GuestCall
  readonly use: QuickJSUse
  suspendedAs: string | undefined
}

/** What the statistics of a pool hold besides its discards. */
export const POOL_NUMBERS = [
  'active',
  'available',
  'suspended',
  'waiting',
  'memoryBytes',
  'created',
  'acquired',
  'rewinds',
  'rebinds',
  'exhausted',
] as const satisfies readonly (keyof EnginePoolStats)[]
const NO_COMMANDS = {
  pool: undefined,
  handlers: 0,
  handlerBytes: 0,
  handlerLoads: 0,
  handlerEvictions: 0,
}

/** Runs calls in the sandboxes of one thread. */
export class SandboxEngine {
  readonly #pool: InstancePool<QuickJSInstance, QuickJSUse>
  readonly #store: HandlerStore
  #options: SandboxEngineOptions
  /** Made when the first WASI command comes. */
  #wasi: WasiEngine | undefined
  readonly #listener: EngineListener
  readonly #running = new Map<number, Running>()
  readonly #host: CallHost

  constructor(options: SandboxEngineOptions, listener: EngineListener) {
    this.#listener = listener
    this.#store = new HandlerStore(options.maxStackBytes, options.maxHandlerBytes)
    this.#options = options
    this.#pool = new InstancePool(new QuickJSKind(), { maxInstances: options.maxInstances })
    this.#host = {
      ask: (call, id, question) => listener.asked(call.request.id, id, question),
      withdraw: (call, id) => listener.withdrawn(call.request.id, id),
      enter: (call, deadlineInMs) => listener.entered(call.request.id, deadlineInMs),
      leave: () => listener.left(),
      suspend: (call) => this.#suspend(call),
      resume: (call) => this.#resume(call),
      finish: (call, outcome, discard) => this.#finish(call, outcome, discard),
    }
  }

  /** Starts the engine, so that the first call does not. */
  async warmUp(): Promise<void> {
    await this.#store.smallestLoader()
  }

  hasHandler(key: string): boolean {
    return this.#store.has(key) || this.#wasi?.has(key) === true
  }

  addHandler(key: string, code: HandlerCode): void {
    if (code instanceof Uint8Array) {
      this.#store.add(key, code)
    } else {
      this.#wasi ??= new WasiEngine(this.#options, this.#listener)
      this.#wasi.add(key, code)
    }
  }

  /**
   * Runs a call of a handler that was added. A call that waits for nothing is over when this
   * returns; the listener is told in any case.
   */
  run(request: CallRequest): void {
    if (this.#wasi?.has(request.handlerKey)) {
      this.#wasi.run(request)
      return
    }
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
    const { pool, handlers, handlerBytes, handlerLoads, handlerEvictions } =
      this.#wasi?.getStats() ?? NO_COMMANDS
    return {
      pool: pool ? addedUp(this.#pool.getStats(), pool) : this.#pool.getStats(),
      handlers: this.#store.size + handlers,
      handlerBytes: this.#store.bytes + handlerBytes,
      handlerLoads: this.#store.loads + handlerLoads,
      handlerEvictions: this.#store.evictions + handlerEvictions,
    }
  }

  /** Changes limits; calls under way are not touched. */
  resize(limits: SandboxLimits): void {
    this.#options = { ...this.#options, ...limits }
    this.#pool.resize(limits.maxInstances)
    this.#store.resize(limits.maxHandlerBytes)
    this.#wasi?.resize(limits)
  }

  /** Ends the calls that still wait, and lets go of every instance. */
  async shutdown(): Promise<void> {
    for (const { call } of [...this.#running.values()]) {
      call.abort(engineFailure('The runtime was shut down while the handler waited for an answer'))
    }
    await Promise.all([this.#pool.shutdown(), this.#wasi?.shutdown()])
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
              retryable: true,
            }
          : engineFailure(String(error))
    }
    this.#listener.finished(request, emptyOutcome(failure, queueWaitUs(request.submittedAt)))
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

  #finish(call: GuestCall, outcome: CallOutcome, discard: DiscardReason | undefined): void {
    const { request, lease } = call
    const running = this.#running.get(request.id)
    this.#resume(call)
    this.#running.delete(request.id)
    const { instance } = lease
    if (running && request.isolation === 'pristine' && instance.hasGrown) {
      this.#store.outgrew(request.handlerKey, running.use, instance.memoryBytes)
    }
    this.#pool.release(lease, discard ?? this.#mustReset(request, outcome))
    this.#listener.finished(request, outcome)
  }

  /** A shared instance whose call was cut short is in an unknown state: its module starts over. */
  #mustReset(request: CallRequest, outcome: CallOutcome): DiscardReason | undefined {
    const cutShort =
      outcome.failure !== undefined &&
      ['TIMEOUT', 'MEMORY_LIMIT', 'STACK_OVERFLOW', 'INTERNAL_ERROR'].includes(outcome.failure.code)
    return request.isolation === 'shared' && cutShort ? 'engine-error' : undefined
  }
}

/** The figures of two pools as those of one. */
function addedUp(one: EnginePoolStats, other: EnginePoolStats): EnginePoolStats {
  const sum = { ...one, discards: { ...one.discards } }
  for (const name of POOL_NUMBERS) sum[name] += other[name]
  for (const reason of Object.keys(sum.discards) as DiscardReason[]) {
    sum.discards[reason] += other.discards[reason]
  }
  return sum
}
