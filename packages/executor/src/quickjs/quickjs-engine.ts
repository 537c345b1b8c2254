import { describeThrown } from '@nexus/diagnostics'
import {
  type DiscardReason,
  type HandlerImage,
  InstancePool,
  type Lease,
  PoolError,
  type QuickJSInstance,
  QuickJSKind,
  type QuickJSUse,
} from '@nexus/instance-pool'
import { LRUCache } from 'lru-cache'
import {
  type Answer,
  type CallFailure,
  type CallRequest,
  type Evaluation,
  emptyRawResult,
  type RawResult,
  type Resumption,
} from '../call/call.js'
import type { SandboxEngineStats } from '../call/engine-stats.js'
import { engineFailure, exhaustedFailure, isCutShort } from '../call/guest-failure.js'
import { queueWaitUs } from '../call/queue-wait.js'
import type {
  EngineListener,
  SandboxEngine,
  SandboxEngineOptions,
  SandboxLimits,
} from '../call/sandbox-engine.js'
import type { FrozenSandbox } from '../freeze/frozen-sandbox.js'
import { assertBase, freeze, freezeHandler, thaw, thawHandler } from '../freeze/sandbox-freezer.js'
import type { PartName } from '../guest/platform/part.js'
import { partsOf } from '../guest/platform/parts-of.js'
import { NativeObjects } from '../native/native-objects.js'
import { ThreadPoolGate } from '../native/thread-pool-slots.js'
import { type CallHost, GuestCall, type GuestEntries } from './guest-call.js'
import { HandlerStore, type HandlerUse } from './handler-store.js'
import { LoadFailure, type ModuleLoader } from './module-loader.js'
import { TimeBudget } from './time-budget.js'

/** Each takes its memory, as far as it is not zero. */
const MAX_THAWED_HANDLERS = 16
const NO_OBJECTS = { lastId: 0, kept: [] } as const

interface Running {
  readonly call: GuestCall
  readonly use: HandlerUse
  suspendedAs: string | undefined
  /** How long it took until the call ran, which was frozen. */
  thawUs?: number
  /** What the host keeps for the call. */
  readonly objects: NativeObjects
}

/** What a frozen call or a script of a context starts from. */
interface ThawedStart {
  readonly loader: ModuleLoader
  readonly reference: HandlerImage
  readonly sandbox: FrozenSandbox | undefined
  /** Parts of the platform that may come to be installed, in addition to those of the sandbox. */
  readonly named?: ReadonlySet<PartName>
  readonly objects: NativeObjects
}

/** Runs calls of JavaScript handlers in the sandboxes of one thread. */
export class QuickjsEngine implements SandboxEngine<Uint8Array> {
  readonly #pool: InstancePool<QuickJSInstance, QuickJSUse>
  readonly #store: HandlerStore
  readonly #listener: EngineListener
  readonly #running = new Map<number, Running>()
  readonly #host: CallHost
  /** What calls that share an instance leave to each other. */
  readonly #sharedObjects = new WeakMap<
    QuickJSInstance,
    { use: HandlerUse; objects: NativeObjects }
  >()

  /** Images of handlers that frozen calls were compared with. */
  readonly #thawedHandlers = new LRUCache<string, HandlerImage>({ max: MAX_THAWED_HANDLERS })

  constructor(options: SandboxEngineOptions, listener: EngineListener) {
    this.#listener = listener
    const gate = new ThreadPoolGate(options.threadPoolSlots)
    this.#store = new HandlerStore(options.maxStackBytes, options.maxHandlerBytes, gate)
    this.#pool = new InstancePool(new QuickJSKind(), {
      ...options.pool,
      maxInstances: options.maxInstances,
    })
    this.#host = {
      gate,
      ask: (call, id, question) => listener.asked(call.request.id, id, question),
      withdraw: (call, id) => listener.withdrawn(call.request.id, id),
      enter: (call, deadlineInMs) => listener.entered(call.request.id, deadlineInMs),
      leave: () => listener.left(),
      suspend: (call) => this.#suspend(call),
      resume: (call) => this.#resume(call),
      finish: (call, result, discard) => this.#finish(call, result, discard),
    }
  }

  /** Starts the engine and makes the fewest instances there may be, so that the first calls do not. */
  async warmUp(): Promise<void> {
    const { template } = await this.#store.smallestLoader()
    await this.#pool.prewarm({ template, image: template.baseImage, isolation: 'pristine' })
  }

  hasHandler(key: string): boolean {
    return this.#store.has(key)
  }

  addHandler(key: string, bytecode: Uint8Array): void {
    this.#store.add(key, bytecode)
  }

  run(request: CallRequest): void {
    const { evaluation, resumption } = request
    if (evaluation) {
      void this.#runThawed(request, () => this.#evaluate(request, evaluation))
      return
    }
    if (resumption) {
      void this.#runThawed(request, () => this.#goOn(request, resumption))
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
      failure = exhaustedFailure(error) ?? engineFailure(describeThrown(error).message)
    }
    this.#listener.finished(request, emptyRawResult(failure, queueWaitUs(request.submittedAt)))
  }

  async #runThawed(request: CallRequest, start: () => Promise<void>): Promise<void> {
    let failure: CallFailure
    try {
      await start()
      return
    } catch (error) {
      const { message } = describeThrown(error)
      failure = exhaustedFailure(error) ?? engineFailure(message)
      // No later attempt would find the image another.
      if (error instanceof PoolError && error.code === 'IMAGE_REFUSED') failure.neverRetry = true
    }
    this.#listener.finished(request, emptyRawResult(failure, queueWaitUs(request.submittedAt)))
  }

  async #evaluate(request: CallRequest, evaluation: Evaluation): Promise<void> {
    const { script, sandbox } = evaluation
    const loader = await this.#store.contextLoader()
    const named = partsOf(Buffer.from(script))
    const objects = NativeObjects.of(sandbox?.objects ?? NO_OBJECTS, { evicts: true })
    const reference = loader.template.baseImage
    const call = await this.#thawed(request, { loader, reference, sandbox, named, objects })
    call.evaluate(evaluation, named)
  }

  async #goOn(request: CallRequest, resumption: Resumption): Promise<void> {
    const begunAt = performance.now()
    const { handler } = resumption
    const { sandbox } = resumption.call
    const loader = await this.#store.loader(sandbox.base)
    assertBase(loader, sandbox.base)
    let reference = this.#thawedHandlers.get(handler.hash)
    if (!reference) {
      reference = thawHandler(loader, handler)
      this.#thawedHandlers.set(handler.hash, reference)
    }
    const objects = NativeObjects.of(sandbox.objects)
    const call = await this.#thawed(request, { loader, reference, sandbox, objects })
    this.#running.get(request.id)!.thawUs = microsSince(begunAt)
    call.resume(resumption)
  }

  async #thawed(request: CallRequest, start: ThawedStart): Promise<GuestCall> {
    const { loader, reference, sandbox, objects } = start
    const parts = sandbox?.parts ?? []
    await this.#store.compileParts([...parts, ...(start.named ?? [])])
    const image = sandbox ? thaw(loader, reference, sandbox) : reference
    const { template } = loader
    const use = {
      ...({ template, image, isolation: 'pristine', isUsedOnce: true } as const),
      ...{ loader, parts, objects, reference },
    }
    return this.#open(request, use, await this.#pool.acquire(use), objects)
  }

  /** What the module takes, in all attempts to find the heap it needs, is taken from the call's time. */
  #load(request: CallRequest, time: TimeBudget): Promise<HandlerUse | LoadFailure> {
    return this.#store.load(request.handlerKey, request.isolation, request.limits, {
      enter: () => {
        this.#listener.entered(request.id, time.leftMs)
        return time.start()
      },
      leave: () => {
        time.stop()
        this.#listener.left()
      },
      waited: (ms) => time.spend(ms),
      get leftMs() {
        return time.leftMs
      },
    })
  }

  #start(
    request: CallRequest,
    use: HandlerUse,
    lease: Lease<QuickJSInstance>,
    timeoutMs = request.limits.timeoutMs,
  ): void {
    this.#open(request, use, lease, this.#objectsFor(use, lease.instance)).start(timeoutMs)
  }

  #open(
    request: CallRequest,
    use: HandlerUse,
    lease: Lease<QuickJSInstance>,
    objects: NativeObjects,
  ): GuestCall {
    const entries = use.template.entries as GuestEntries
    const guest = { entries, parts: this.#store.partBytecodes, objects }
    const call = new GuestCall(request, lease, guest, this.#host)
    this.#running.set(request.id, { call, use, suspendedAs: undefined, objects })
    return call
  }

  #objectsFor(use: HandlerUse, instance: QuickJSInstance): NativeObjects {
    if (use.isolation === 'pristine') return new NativeObjects(use.objects)
    let shared = this.#sharedObjects.get(instance)
    if (shared?.use !== use) {
      shared = { use, objects: new NativeObjects(use.objects, { evicts: true }) }
      this.#sharedObjects.set(instance, shared)
    }
    return shared.objects
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
    const { installedParts } = call
    const kept = running ? this.#withWhatStays(running, result, discard) : result
    const thawUs = running?.thawUs
    const finished = thawUs === undefined ? kept : { ...kept, thawUs }
    const outgrew = instance.hasGrown || installedParts.size > 0
    if (running && request.isolation === 'pristine' && outgrew) {
      const { handlerKey } = request
      this.#store.outgrew(handlerKey, running.use, instance.memoryBytes, installedParts)
    }
    this.#pool.release(lease, discard ?? this.#mustReset(request, result))
    this.#listener.finished(request, finished)
  }

  /** A script that was cut short leaves nothing: the next one goes on from what the one before it left. */
  #withWhatStays(
    { call, use, objects }: Running,
    result: RawResult,
    discard: DiscardReason | undefined,
  ): RawResult {
    const { request, frozen, installedParts } = call
    const isLost = discard !== undefined || isCutShort(result)
    if (isLost || (frozen === undefined && request.evaluation === undefined)) return result
    // The guest has stopped: what follows is not its time.
    this.#listener.left()
    try {
      const begunAt = performance.now()
      const { instance } = call.lease
      const parts = new Set([...use.parts, ...installedParts])
      const sandbox = freeze(use.loader, use.reference, { instance, parts, objects })
      if (!frozen) return { ...result, sandbox }
      const handler = freezeHandler(use.loader, use.reference)
      const suspended = { handler, call: { ...frozen, sandbox, handlerHash: handler.hash } }
      return { ...result, suspended, freezeUs: microsSince(begunAt) }
    } catch (error) {
      const failure = engineFailure(`The sandbox cannot be kept: ${describeThrown(error).message}`)
      return emptyRawResult(failure, result.queueWaitUs)
    }
  }

  /** A shared instance whose call was cut short is in an unknown state: its module starts over. */
  #mustReset(request: CallRequest, result: RawResult): DiscardReason | undefined {
    return request.isolation === 'shared' && isCutShort(result) ? 'engine-error' : undefined
  }
}

function microsSince(begunAt: number): number {
  return (performance.now() - begunAt) * 1000
}
