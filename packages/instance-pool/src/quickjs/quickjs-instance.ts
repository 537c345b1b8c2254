import { randomFillSync } from 'node:crypto'
import { JSValueHandle, QuickJS, type Snapshot } from 'quickjs-wasi'
import type { EngineExtension } from '../engine/engine-extensions.js'
import type { EngineState } from '../engine/engine-state.js'
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

/** A pointer to a value in the guest's memory; valid until the instance is rewound. */
export type GuestPtr = number

/** Answers a host call of the guest with a small number; must not throw. */
export type HostCall = (args: readonly GuestPtr[]) => number

/** The highest number a {@link HostCall} may answer. */
export const MAX_HOST_ANSWER = 7

export interface QuickJSInstanceBlueprint {
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
  readonly undefinedPtr: GuestPtr
  readonly inputPtr: GuestPtr
  readonly inputBytes: number
  readonly scratchPtr: GuestPtr
}

/** The name under which the guest's one host function is registered. */
export const HOST_FUNCTION = 'host'

/** Random bytes are drawn in bulk: one system call serves 512 reseedings. */
const entropy = new Uint32Array(1024)
let entropyAt = entropy.length

function nextEntropy(): number {
  if (entropyAt === entropy.length) {
    randomFillSync(entropy)
    entropyAt = 0
  }
  return entropy[entropyAt++]!
}

const encoder = new TextEncoder()
const ignore: HostCall = () => 0

/** One engine with its own linear memory, which {@link rewind} makes pristine. */
export class QuickJSInstance {
  readonly #vm: QuickJS
  readonly #blueprint: QuickJSInstanceBlueprint
  readonly #exports: ReturnType<QuickJS['_getExports']>
  #image: HandlerImage | undefined
  /** What a rewind writes: every page that is in use in the image, zero or not. */
  #runs: readonly MemoryRun[] = []
  #bytes: Buffer = Buffer.alloc(0)
  #words = new Uint32Array(0)
  #startedAt = 0
  #clockRuns = false
  #trapped = false
  /** Whether the engine was told to stop since it was entered last. */
  #toldToStop = false

  /** Called for each host call of the guest while a call is under way. */
  onHostCall: HostCall = ignore
  /** When the guest is interrupted, on the clock of `performance.now()`. */
  deadlineAt = Number.POSITIVE_INFINITY
  /** Whether the deadline interrupted the guest since the last {@link begin}. */
  interrupted = false
  /** The most bytes seen allocated since the last {@link begin}; looked at on each interrupt check. */
  peakBytes = 0

  static async create(blueprint: QuickJSInstanceBlueprint): Promise<QuickJSInstance> {
    let instance: QuickJSInstance | undefined
    const vm = await QuickJS.restore(blueprint.snapshot, {
      wasm: blueprint.engine,
      extensions: [...blueprint.extensions],
      maxStackSize: blueprint.maxStackBytes,
      timezoneOffset: 0,
      interruptHandler: () => instance!.#interruptWhenOverdue(),
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
    this.#vm = vm
    this.#blueprint = blueprint
    this.#exports = vm._getExports()
    const answers = blueprint.answers.map((ptr) => new JSValueHandle(vm, ptr, true))
    vm.registerHostCallback(
      HOST_FUNCTION,
      (...args) => answers[this.onHostCall(args.map((arg) => arg.ptr))]!,
    )
    this.#refreshViews()
  }

  /** The image that {@link rewind} goes back to. */
  get image(): HandlerImage | undefined {
    return this.#image
  }

  /** The native extensions that are linked to the engine. */
  get extensions(): readonly EngineExtension[] {
    return this.#blueprint.extensions
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength
  }

  /** The guest's `undefined`. */
  get undefinedPtr(): GuestPtr {
    return this.#blueprint.undefinedPtr
  }

  /** Bytes that the engine has allocated at this moment. */
  get allocatedBytes(): number {
    return this.#view()[this.#blueprint.state.mallocSizeOffset >>> 2]!
  }

  /** Whether memory has grown past the image, so that a rewind would leak what was added. */
  get hasGrown(): boolean {
    return this.#image !== undefined && this.memoryBytes !== this.#image.memoryBytes
  }

  /** Whether the engine aborted in the middle of guest code: nothing in its memory can be relied on any more. */
  get hasTrapped(): boolean {
    return this.#trapped
  }

  /** Removes every byte of a former handler and lays down the image of another. */
  bind(image: HandlerImage): void {
    const memory = this.#buffer()
    const { base, diff } = image
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
    this.#image = image
  }

  /** Makes the memory what it was right after the handler's module ran. */
  rewind(): void {
    writeRuns(this.#buffer(), this.#runs)
  }

  /**
   * Starts a call: reseeds randomness, starts the clock, sets the limits.
   *
   * @param deadlineAt on the clock of `performance.now()`
   * @param memoryLimitBytes what the engine may allocate in all
   */
  begin(deadlineAt: number, memoryLimitBytes: number, onHostCall: HostCall): void {
    const words = this.#view()
    const randomAt = this.#blueprint.state.randomStateOffset >>> 2
    // xorshift never leaves 0, so one bit is always set.
    words[randomAt] = nextEntropy() | 1
    words[randomAt + 1] = nextEntropy()
    this.#startedAt = performance.now()
    this.#clockRuns = true
    this.deadlineAt = deadlineAt
    this.interrupted = false
    this.peakBytes = 0
    this.onHostCall = onHostCall
    this.#exports.qjs_set_memory_limit(memoryLimitBytes)
  }

  /** Replaces the memory limit of the call under way. */
  setMemoryLimit(memoryLimitBytes: number): void {
    this.#exports.qjs_set_memory_limit(memoryLimitBytes)
  }

  /** Ends a call: from now on a host call of this guest is ignored. */
  end(): void {
    this.onHostCall = ignore
    this.deadlineAt = Number.POSITIVE_INFINITY
    this.#clockRuns = false
  }

  /** Puts a string into the guest. Free it, or rewind. */
  newString(text: string): GuestPtr {
    const { inputPtr, inputBytes } = this.#blueprint
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (text.length * 3 <= inputBytes) {
      const memory = this.#buffer()
      const { written } = encoder.encodeInto(text, memory.subarray(inputPtr, inputPtr + inputBytes))
      return this.#exports.qjs_new_string(inputPtr, written)
    }
    const bytes = Buffer.from(text, 'utf8')
    const ptr = this.#copyIn(bytes)
    const value = this.#exports.qjs_new_string(ptr, bytes.length)
    this.#exports.wasm_free(ptr)
    return value
  }

  newNumber(value: number): GuestPtr {
    return this.#exports.qjs_new_number(value)
  }

  /** Calls a function of the guest; the result may be an exception, see {@link isException}. */
  call(functionPtr: GuestPtr, ...args: GuestPtr[]): GuestPtr {
    const { scratchPtr, undefinedPtr } = this.#blueprint
    const words = this.#view()
    for (let i = 0; i < args.length; i++) words[(scratchPtr >>> 2) + i] = args[i]!
    return this.#noticingTraps(() =>
      this.#exports.qjs_call(functionPtr, undefinedPtr, args.length, scratchPtr),
    )
  }

  /** Evaluates module bytecode; the result is a promise of the namespace, or an exception. */
  evalBytecode(bytecode: Uint8Array): GuestPtr {
    const ptr = this.#copyIn(bytecode)
    const result = this.#noticingTraps(() => this.#exports.qjs_eval_bytecode(ptr, bytecode.length))
    // Zeros compress to nothing in the image; the freed copy of the bytecode would not.
    this.#buffer().fill(0, ptr, ptr + bytecode.length)
    this.#exports.wasm_free(ptr)
    return result
  }

  isException(ptr: GuestPtr): boolean {
    return this.#exports.qjs_is_exception(ptr) !== 0
  }

  /** Takes the pending exception out of the engine. */
  takeException(): GuestPtr {
    return this.#exports.qjs_get_exception()
  }

  isPromise(ptr: GuestPtr): boolean {
    return this.#exports.qjs_is_promise(ptr) !== 0
  }

  promiseState(ptr: GuestPtr): 'pending' | 'fulfilled' | 'rejected' {
    const state = this.#exports.qjs_promise_state(ptr)
    return state === 0 ? 'pending' : state === 1 ? 'fulfilled' : 'rejected'
  }

  promiseResult(ptr: GuestPtr): GuestPtr {
    return this.#exports.qjs_promise_result(ptr)
  }

  /**
   * Runs the promise jobs of the guest until none is left or the deadline interrupted one.
   *
   * @returns whether all ran; `false` means look at {@link interrupted}, or the engine failed
   */
  drainJobs(): boolean {
    const exports = this.#exports
    for (let count = 1; exports.qjs_is_job_pending() !== 0; count++) {
      if (this.#noticingTraps(() => exports.qjs_execute_pending_job()) < 0) {
        exports.qjs_free_value(exports.qjs_get_exception())
        return false
      }
      // Short jobs that queue each other may never reach the engine's own check.
      if (this.interrupted || ((count & 63) === 0 && this.#checkDeadline())) return false
    }
    return !this.interrupted
  }

  isString(ptr: GuestPtr): boolean {
    return this.#exports.qjs_is_string(ptr) !== 0
  }

  /** A number of the guest; `NaN` for anything else. Runs no guest code. */
  readNumber(ptr: GuestPtr): number {
    return this.#exports.qjs_is_number(ptr) !== 0 ? this.#exports.qjs_get_float64(ptr) : Number.NaN
  }

  /**
   * A string of the guest, or `undefined` for anything else and for more than `maxBytes` of UTF-8.
   * Runs no guest code.
   */
  readString(ptr: GuestPtr, maxBytes = Number.POSITIVE_INFINITY): string | undefined {
    const exports = this.#exports
    if (exports.qjs_is_string(ptr) === 0) return undefined
    const { scratchPtr } = this.#blueprint
    const textPtr = exports.qjs_get_string_len(ptr, scratchPtr)
    if (textPtr === 0) return undefined
    const length = this.#view()[scratchPtr >>> 2]!
    const text =
      length <= maxBytes ? this.#buffer().utf8Slice(textPtr, textPtr + length) : undefined
    exports.qjs_free_cstring(textPtr)
    return text
  }

  free(ptr: GuestPtr): void {
    this.#exports.qjs_free_value(ptr)
  }

  /** Runs a garbage collection, so that an image holds no garbage. */
  collectGarbage(): void {
    this.#exports.qjs_run_gc()
  }

  /** The linear memory, to take an image of. Stale after the memory grew: ask again. */
  memory(): Buffer {
    return this.#buffer()
  }

  /** Zeroes what is left on the native stack below the frames in use. */
  scrubStack(): void {
    zeroPages(this.#buffer(), pagesWithin(0, this.#exports.__stack_pointer.value))
  }

  dispose(): void {
    this.end()
    this.#runs = []
    this.#image = undefined
    this.#vm.dispose()
  }

  #copyIn(bytes: Uint8Array): GuestPtr {
    const ptr = this.#exports.wasm_malloc(bytes.length)
    if (ptr === 0) throw new RangeError(`The engine could not allocate ${bytes.length} bytes`)
    this.#buffer().set(bytes, ptr)
    return ptr
  }

  /** Guest exceptions are return values of the engine: what it throws is never one. */
  #noticingTraps<T>(enter: () => T): T {
    this.#toldToStop = false
    try {
      return enter()
    } catch (error) {
      this.#trapped = true
      throw error
    }
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
    new DataView(this.#exports.memory.buffer).setBigUint64(resultPtr, now, true)
    return 0
  }

  #buffer(): BufferWithUtf8Slice {
    if (this.#bytes.length !== this.#exports.memory.buffer.byteLength) this.#refreshViews()
    return this.#bytes as BufferWithUtf8Slice
  }

  #view(): Uint32Array {
    if (this.#words.length === 0) this.#refreshViews()
    return this.#words
  }

  /** Growing the memory detaches every view of it. */
  #refreshViews(): void {
    const { buffer } = this.#exports.memory
    this.#bytes = Buffer.from(buffer)
    this.#words = new Uint32Array(buffer)
  }
}

/** In Node, but not in its type declarations: decodes a range without making a view of it. */
type BufferWithUtf8Slice = Buffer & { utf8Slice(start: number, end: number): string }

/** What the engine prints to its standard output and error goes nowhere: a guest must not write to the host's. */
export function quietFileDescriptors(memory: WebAssembly.Memory) {
  return {
    fd_write(_fd: number, iovsPtr: number, iovsLength: number, writtenPtr: number): number {
      const view = new DataView(memory.buffer)
      let written = 0
      for (let i = 0; i < iovsLength; i++) written += view.getUint32(iovsPtr + i * 8 + 4, true)
      view.setUint32(writtenPtr, written, true)
      return 0
    },
  }
}
