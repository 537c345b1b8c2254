import { JSValueHandle, QuickJS, type Snapshot } from 'quickjs-wasi'
import type { EngineExtension } from '../engine/engine-extensions.js'
import type { EngineState } from '../engine/engine-state.js'
import { REFUSAL_FLAG } from '../engine/refusal-flag.js'
import type { HandlerImage } from '../image/handler-image.js'
import {
  copyPages,
  type MemoryRun,
  pagesBetween,
  pagesOf,
  pagesWithin,
  writeRuns,
  zeroPages,
} from '../image/memory-image.js'
import { nextEntropy } from './entropy.js'
import { type ExchangeArea, type GuestPtr, GuestValues } from './guest-values.js'
import { quietFileDescriptors } from './quiet-file-descriptors.js'

/**
 * Answers a host call of the guest; must not throw. A number up to {@link MAX_HOST_ANSWER} is that number for the guest. A
 * higher one is the pointer of a value that was made for the answer: the instance frees it.
 */
export type HostCall = (args: readonly GuestPtr[]) => number

/** The highest number a {@link HostCall} may answer: no value of the guest is at so low an address. */
export const MAX_HOST_ANSWER = 7

/** What all instances of one template are made of. */
export interface QuickJSInstanceBlueprint extends ExchangeArea {
  readonly engine: WebAssembly.Module
  readonly extensions: readonly EngineExtension[]
  /**
   * What only {@link QuickJSInstance.bind} writes: constants of the programs that nothing ever writes,
   * and the buffer in which the host lays down the next event.
   */
  readonly unrestoredPages: ReadonlySet<number>
  readonly snapshot: Snapshot
  readonly state: EngineState
  readonly maxStackBytes: number
  /** Pointers of the numbers 0 … {@link MAX_HOST_ANSWER}, in the base image. */
  readonly answers: readonly GuestPtr[]
}

/** The name under which the guest's one host function is registered. */
export const HOST_FUNCTION = 'host'

const WASM_PAGE_BYTES = 65_536

const ignore: HostCall = () => 0

/** A rejected promise, and why: values that the engine keeps for the host. */
interface Rejection {
  readonly promise: GuestPtr
  readonly reason: GuestPtr
}

/** One engine with its own linear memory, which {@link rewind} makes pristine. */
export class QuickJSInstance extends GuestValues {
  readonly #vm: QuickJS
  readonly #blueprint: QuickJSInstanceBlueprint
  /** Not in linear memory: no rewind touches it. */
  readonly #refusalFlag: WebAssembly.Global
  #image: HandlerImage | undefined
  /** What a rewind writes: every page that is in use in the image, zero or not. */
  #runs: readonly MemoryRun[] = []
  #startedAt = 0
  #clockRuns = false
  /** Whether the engine was told to stop since it was entered last. */
  #toldToStop = false
  /** Promises of the call under way that were rejected and have no handler, by the address of their object. */
  readonly #rejections = new Map<number, Rejection>()
  /** The value that answered the last host call: the engine takes it over after the host has returned. */
  #answer: GuestPtr = 0

  /** Called for each host call of the guest while a call is under way. */
  onHostCall: HostCall = ignore
  /** When the guest is interrupted, on the clock of `performance.now()`. */
  deadlineAt = Number.POSITIVE_INFINITY
  /** Whether the deadline interrupted the guest since the last {@link begin}. */
  interrupted = false
  /** The most bytes seen allocated since the last {@link begin}; looked at on each interrupt check. */
  peakBytes = 0

  /** Starts an engine without memory of its own yet: {@link bind} lays down an image. */
  static async create(blueprint: QuickJSInstanceBlueprint): Promise<QuickJSInstance> {
    let instance: QuickJSInstance | undefined
    const vm = await QuickJS.restore(blueprint.snapshot, {
      wasm: blueprint.engine,
      extensions: [...blueprint.extensions],
      maxStackSize: blueprint.maxStackBytes,
      timezoneOffset: 0,
      interruptHandler: () => instance!.#interruptWhenOverdue(),
      onUnhandledRejection: (promise, reason, isHandled) =>
        instance!.#noteRejection(promise.ptr, reason.ptr, isHandled),
      wasi: (memory) => ({
        ...quietFileDescriptors(memory),
        clock_time_get: (clockId: number, _precision: bigint, resultPtr: number) =>
          instance ? instance.#readClock(clockId, resultPtr) : 0,
      }),
    })
    instance = new QuickJSInstance(vm, blueprint)
    return instance
  }

  private constructor(vm: QuickJS, blueprint: QuickJSInstanceBlueprint) {
    super(vm, blueprint)
    this.#vm = vm
    this.#blueprint = blueprint
    const exports: object = this.exports
    this.#refusalFlag = (exports as Record<string, WebAssembly.Global>)[REFUSAL_FLAG]!
    const answers = blueprint.answers.map((ptr) => new JSValueHandle(vm, ptr, true))
    vm.registerHostCallback(HOST_FUNCTION, (...args) => {
      this.#freeAnswer()
      const answer = this.onHostCall(args.map((arg) => arg.ptr))
      if (answer <= MAX_HOST_ANSWER) return answers[answer]!
      this.#answer = answer
      return new JSValueHandle(vm, answer, true)
    })
  }

  /** The image that {@link rewind} goes back to. */
  get image(): HandlerImage | undefined {
    return this.#image
  }

  /** The native extensions that are linked to the engine. */
  get extensions(): readonly EngineExtension[] {
    return this.#blueprint.extensions
  }

  /** Size of the linear memory, in bytes. */
  get memoryBytes(): number {
    return this.exports.memory.buffer.byteLength
  }

  /** Bytes that the engine has allocated at this moment. */
  get allocatedBytes(): number {
    return this.words()[this.#blueprint.state.mallocSizeOffset >>> 2]!
  }

  /** Whether the engine refused the guest an allocation since the last {@link begin}; no guest can set or hide it. */
  get allocationRefused(): boolean {
    return this.#refusalFlag.value !== 0
  }

  /** Whether memory has grown past the image, so that a rewind would leak what was added. */
  get hasGrown(): boolean {
    return this.#image !== undefined && this.memoryBytes !== this.#image.memoryBytes
  }

  /** Removes every byte of a former handler and lays down the image of another, or of a sandbox that goes on. */
  bind(image: HandlerImage): void {
    const memory = this.buffer()
    const { base, diff, thawedOn } = image
    this.#image = image
    if (thawedOn) {
      this.#runs = []
      thawedOn.copyInto(memory)
      writeRuns(memory, diff)
      return
    }
    const { unrestoredPages } = this.#blueprint
    const pages = pagesOf(base)
    for (const page of pagesOf(diff)) pages.add(page)
    for (const page of pagesBetween(base[0]!.offset, image.usedEnd)) pages.add(page)
    zeroPages(memory, pagesWithin(0, memory.length))
    writeRuns(memory, base)
    writeRuns(memory, diff)
    this.#runs = copyPages(
      memory,
      [...pages].filter((page) => !unrestoredPages.has(page)).sort((a, b) => a - b),
    )
  }

  /** Makes the memory larger, for an image of that size. */
  growTo(memoryBytes: number): void {
    const missing = (memoryBytes - this.memoryBytes) / WASM_PAGE_BYTES
    if (missing > 0) this.exports.memory.grow(missing)
  }

  /** Makes the memory what it was right after the handler's module ran. */
  rewind(): void {
    writeRuns(this.buffer(), this.#runs)
  }

  /**
   * Starts a call: reseeds randomness, starts the clock, sets the limits.
   *
   * @param deadlineAt on the clock of `performance.now()`
   * @param memoryLimitBytes what the engine may allocate in all
   * @param elapsedMs what the guest's monotonic clock starts from
   */
  begin(deadlineAt: number, memoryLimitBytes: number, onHostCall: HostCall, elapsedMs = 0): void {
    const words = this.words()
    const randomAt = this.#blueprint.state.randomStateOffset >>> 2
    // xorshift never leaves 0, so one bit is always set.
    words[randomAt] = nextEntropy() | 1
    words[randomAt + 1] = nextEntropy()
    this.#startedAt = performance.now() - elapsedMs
    this.#clockRuns = true
    this.deadlineAt = deadlineAt
    this.interrupted = false
    this.peakBytes = 0
    this.#refusalFlag.value = 0
    this.#rejections.clear()
    this.onHostCall = onHostCall
    this.exports.qjs_set_memory_limit(memoryLimitBytes)
  }

  /** What the guest's monotonic clock says, in milliseconds. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Replaces the memory limit of the call under way. */
  setMemoryLimit(memoryLimitBytes: number): void {
    this.exports.qjs_set_memory_limit(memoryLimitBytes)
  }

  /** Ends a call: from now on a host call of this guest is ignored. */
  end(): void {
    this.#freeAnswer()
    this.onHostCall = ignore
    this.deadlineAt = Number.POSITIVE_INFINITY
    this.#clockRuns = false
  }

  /**
   * Runs the promise jobs of the guest until none is left or the deadline interrupted one.
   *
   * @returns whether all ran; `false` means look at {@link interrupted}, else {@link takeException} has what a job threw
   */
  drainJobs(): boolean {
    const exports = this.exports
    for (let count = 1; exports.qjs_is_job_pending() !== 0; count++) {
      if (this.noticingTraps(() => exports.qjs_execute_pending_job()) < 0) return false
      // Short jobs that queue each other may never reach the engine's own check.
      if (this.interrupted || ((count & 63) === 0 && this.#checkDeadline())) return false
    }
    return !this.interrupted
  }

  /** Whether a promise of the call under way was rejected and has no handler. A job that waits may still add one. */
  get hasUnhandledRejection(): boolean {
    return this.#rejections.size > 0
  }

  /** Takes the reasons of all promises that were rejected and have no handler, oldest first. Free them, or rewind. */
  takeUnhandledRejections(): GuestPtr[] {
    const rejections = [...this.#rejections.values()]
    this.#rejections.clear()
    for (const { promise } of rejections) this.free(promise)
    return rejections.map(({ reason }) => reason)
  }

  /** Runs a garbage collection, so that an image holds no garbage. */
  collectGarbage(): void {
    this.exports.qjs_run_gc()
  }

  /** Zeroes what is left on the native stack below the frames in use. */
  scrubStack(): void {
    zeroPages(this.buffer(), pagesWithin(0, this.exports.__stack_pointer.value))
  }

  /** Frees the engine; the instance must not be used after that. */
  dispose(): void {
    this.end()
    this.#runs = []
    this.#image = undefined
    this.#vm.dispose()
  }

  #freeAnswer(): void {
    if (this.#answer === 0) return
    if (!this.hasTrapped) this.free(this.#answer)
    this.#answer = 0
  }

  /** Guest code is about to run. */
  protected override entering(): void {
    this.#toldToStop = false
  }

  /**
   * What the engine asks now and then while guest code runs.
   *
   * The engine stops a guest with an error that no `catch` sees. Where no memory is left to make that error, it throws a
   * plain `null`, and a guest that catches it goes on. So when the engine asks a second time, it is left by an exception of
   * the host, which ends all of its frames.
   */
  #interruptWhenOverdue(): boolean {
    if (!this.#checkDeadline()) return false
    if (this.#toldToStop) throw new Error('The guest went on after its deadline')
    this.#toldToStop = true
    return true
  }

  /** Both values are the engine's for the time of this call; a handler that comes later takes the promise off the list. */
  #noteRejection(promisePtr: GuestPtr, reasonPtr: GuestPtr, isHandled: boolean): void {
    // A value is a tag and the address of its object, which stays while the list holds the promise.
    const address = this.words()[promisePtr >>> 2]!
    if (!isHandled) {
      const promise = this.exports.qjs_dup_value(promisePtr)
      const reason = this.exports.qjs_dup_value(reasonPtr)
      this.#rejections.set(address, { promise, reason })
      return
    }
    const rejection = this.#rejections.get(address)
    if (rejection === undefined) return
    this.#rejections.delete(address)
    this.free(rejection.promise)
    this.free(rejection.reason)
  }

  #checkDeadline(): boolean {
    const allocated = this.allocatedBytes
    if (allocated > this.peakBytes) this.peakBytes = allocated
    if (performance.now() < this.deadlineAt) return false
    this.interrupted = true
    return true
  }

  /** While no call runs, time stands still: an image must not hold the moment it was made at. */
  #readClock(clockId: number, resultPtr: number): number {
    const CLOCK_REALTIME = 0
    const now = !this.#clockRuns
      ? 0n
      : clockId === CLOCK_REALTIME
        ? BigInt(Date.now()) * 1_000_000n
        : BigInt(Math.round((performance.now() - this.#startedAt) * 1e6))
    new DataView(this.exports.memory.buffer).setBigUint64(resultPtr, now, true)
    return 0
  }
}
