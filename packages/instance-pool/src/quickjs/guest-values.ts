import { EvalFlags, type QuickJS } from 'quickjs-wasi'

/** A pointer to a value in the guest's memory; valid until the instance is rewound. */
export type GuestPtr = number

/** Where an engine keeps what the host hands over. */
export interface ExchangeArea {
  /** The guest's `undefined`. */
  readonly undefinedPtr: GuestPtr
  /** A buffer for the text that the host hands over next, and how long it is. */
  readonly inputPtr: GuestPtr
  readonly inputBytes: number
  /** Room for a few words: arguments of a call, and what a function of the engine answers beside its result. */
  readonly scratchPtr: GuestPtr
}

const encoder = new TextEncoder()

/** The functions of an engine's program (its ABI): makes values of the guest, calls them, and reads them. */
export class GuestValues {
  /** What the program exports. */
  protected readonly exports: ReturnType<QuickJS['_getExports']>
  readonly #area: ExchangeArea
  #bytes: Buffer = Buffer.alloc(0)
  #words = new Uint32Array(0)
  #trapped = false

  protected constructor(vm: QuickJS, area: ExchangeArea) {
    this.exports = vm._getExports()
    this.#area = area
    this.#refreshViews()
  }

  /** The guest's `undefined`. */
  get undefinedPtr(): GuestPtr {
    return this.#area.undefinedPtr
  }

  /** Whether the engine aborted in the middle of guest code: nothing in its memory can be relied on any more. */
  get hasTrapped(): boolean {
    return this.#trapped
  }

  /** The linear memory, to take an image of. Stale after the memory grew: ask again. */
  memory(): Buffer {
    return this.buffer()
  }

  /** Puts a string into the guest. Free it, or rewind. */
  newString(text: string): GuestPtr {
    const { inputPtr, inputBytes } = this.#area
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (text.length * 3 <= inputBytes) {
      const memory = this.buffer()
      const { written } = encoder.encodeInto(text, memory.subarray(inputPtr, inputPtr + inputBytes))
      return this.exports.qjs_new_string(inputPtr, written)
    }
    const bytes = Buffer.from(text, 'utf8')
    const ptr = this.#copyIn(bytes)
    const value = this.exports.qjs_new_string(ptr, bytes.length)
    this.exports.wasm_free(ptr)
    return value
  }

  /** Puts a number into the guest. Free it, or rewind. */
  newNumber(value: number): GuestPtr {
    return this.exports.qjs_new_number(value)
  }

  /** Puts a copy of bytes into the guest, as an ArrayBuffer; an exception where its memory does not suffice. Free it, or rewind. */
  newBytes(bytes: Uint8Array): GuestPtr {
    const ptr = this.#copyIn(bytes)
    const value = this.exports.qjs_new_array_buffer(ptr, bytes.length)
    this.exports.wasm_free(ptr)
    return value
  }

  /** Calls a function of the guest; the result may be an exception, see {@link isException}. */
  call(functionPtr: GuestPtr, ...args: GuestPtr[]): GuestPtr {
    const { scratchPtr, undefinedPtr } = this.#area
    const words = this.words()
    for (let i = 0; i < args.length; i++) words[(scratchPtr >>> 2) + i] = args[i]!
    return this.noticingTraps(() =>
      this.exports.qjs_call(functionPtr, undefinedPtr, args.length, scratchPtr),
    )
  }

  /** Evaluates bytecode; the result is an exception, or of a module a promise of its namespace, of a script its value. */
  evalBytecode(bytecode: Uint8Array): GuestPtr {
    const ptr = this.#copyIn(bytecode)
    const result = this.noticingTraps(() => this.exports.qjs_eval_bytecode(ptr, bytecode.length))
    // Zeros compress to nothing in the image; the freed copy of the bytecode would not.
    this.buffer().fill(0, ptr, ptr + bytecode.length)
    this.exports.wasm_free(ptr)
    return result
  }

  /**
   * Evaluates a script in which `await` may stand outside of functions; its `let` and `const` stay for later scripts.
   *
   * @returns an exception, or a promise of an object whose `value` is what the last expression gives
   */
  evalScript(source: string, filename: string): GuestPtr {
    const GLOBAL_ASYNC = EvalFlags.TYPE_GLOBAL | EvalFlags.ASYNC
    const bytes = Buffer.from(`${source}\0`, 'utf8')
    const sourcePtr = this.#copyIn(bytes)
    const filenamePtr = this.#copyIn(Buffer.from(`${filename}\0`, 'utf8'))
    const result = this.noticingTraps(() =>
      this.exports.qjs_eval(sourcePtr, bytes.length - 1, filenamePtr, GLOBAL_ASYNC),
    )
    this.exports.wasm_free(filenamePtr)
    this.exports.wasm_free(sourcePtr)
    return result
  }

  /** Whether a result of the engine says that the guest threw: {@link takeException} has what. */
  isException(ptr: GuestPtr): boolean {
    return this.exports.qjs_is_exception(ptr) !== 0
  }

  /** Takes the pending exception out of the engine. */
  takeException(): GuestPtr {
    return this.exports.qjs_get_exception()
  }

  /** Whether a value is a promise of the engine's own. Runs no guest code. */
  isPromise(ptr: GuestPtr): boolean {
    return this.exports.qjs_is_promise(ptr) !== 0
  }

  /** How a promise stands. */
  promiseState(ptr: GuestPtr): 'pending' | 'fulfilled' | 'rejected' {
    const state = this.exports.qjs_promise_state(ptr)
    return state === 0 ? 'pending' : state === 1 ? 'fulfilled' : 'rejected'
  }

  /** What a promise that has settled was fulfilled with, or why it was rejected. */
  promiseResult(ptr: GuestPtr): GuestPtr {
    return this.exports.qjs_promise_result(ptr)
  }

  /** Whether a value is a string. Runs no guest code. */
  isString(ptr: GuestPtr): boolean {
    return this.exports.qjs_is_string(ptr) !== 0
  }

  /** A number of the guest; `NaN` for anything else. Runs no guest code. */
  readNumber(ptr: GuestPtr): number {
    return this.exports.qjs_is_number(ptr) !== 0 ? this.exports.qjs_get_float64(ptr) : Number.NaN
  }

  /**
   * A string of the guest, or `undefined` for anything else and for more than `maxBytes` of UTF-8.
   * Runs no guest code.
   */
  readString(ptr: GuestPtr, maxBytes = Number.POSITIVE_INFINITY): string | undefined {
    const exports = this.exports
    if (exports.qjs_is_string(ptr) === 0) return undefined
    const { scratchPtr } = this.#area
    const textPtr = exports.qjs_get_string_len(ptr, scratchPtr)
    if (textPtr === 0) return undefined
    const length = this.words()[scratchPtr >>> 2]!
    const text = length <= maxBytes ? this.buffer().utf8Slice(textPtr, textPtr + length) : undefined
    exports.qjs_free_cstring(textPtr)
    return text
  }

  /**
   * A copy of the bytes of an ArrayBuffer or a typed array of the guest; `undefined` for anything else and for a buffer
   * that was transferred, `null` for more than `maxBytes`. Runs no guest code.
   */
  readBytes(ptr: GuestPtr, maxBytes = Number.POSITIVE_INFINITY): Uint8Array | null | undefined {
    const exports = this.exports
    if (exports.qjs_is_array_buffer(ptr) !== 0) {
      const range = this.#bufferRange(ptr)
      return range && this.#copyOut(range.start, range.length, maxBytes)
    }
    if (exports.qjs_is_object(ptr) === 0) return undefined
    const at = this.#area.scratchPtr >>> 2
    const bufferPtr = exports.qjs_get_typed_array_buffer(ptr, at * 4, at * 4 + 4, at * 4 + 8)
    if (this.isException(bufferPtr)) {
      this.free(bufferPtr)
      this.free(this.takeException())
      return undefined
    }
    const words = this.words()
    const [offset, length] = [words[at]!, words[at + 1]!]
    const range = this.#bufferRange(bufferPtr)
    // The array keeps its buffer alive.
    this.free(bufferPtr)
    if (!range || offset + length > range.length) return undefined
    return this.#copyOut(range.start + offset, length, maxBytes)
  }

  /** Gives a value back to the engine: the pointer means nothing from then on. */
  free(ptr: GuestPtr): void {
    this.exports.qjs_free_value(ptr)
  }

  /** Guest code is about to run. */
  protected entering(): void {}

  /** Guest exceptions are return values of the engine: what it throws is never one. */
  protected noticingTraps<T>(enter: () => T): T {
    this.entering()
    try {
      return enter()
    } catch (error) {
      this.#trapped = true
      throw error
    }
  }

  /** The program's memory as it is now: a view of it ends when the memory grows. */
  protected buffer(): BufferWithUtf8Slice {
    if (this.#bytes.length !== this.exports.memory.buffer.byteLength) this.#refreshViews()
    return this.#bytes as BufferWithUtf8Slice
  }

  /** The same memory as words of 32 bits. */
  protected words(): Uint32Array {
    if (this.#words.length === 0) this.#refreshViews()
    return this.#words
  }

  /** Where the bytes of an ArrayBuffer are. */
  #bufferRange(ptr: GuestPtr): { start: number; length: number } | undefined {
    const { scratchPtr } = this.#area
    const start = this.exports.qjs_get_array_buffer(ptr, scratchPtr)
    if (start !== 0) return { start, length: this.words()[scratchPtr >>> 2]! }
    this.free(this.takeException())
    return undefined
  }

  #copyOut(start: number, length: number, maxBytes: number): Uint8Array | null {
    if (length > maxBytes) return null
    return new Uint8Array(this.buffer().subarray(start, start + length))
  }

  #copyIn(bytes: Uint8Array): GuestPtr {
    const ptr = this.exports.wasm_malloc(bytes.length)
    if (ptr === 0) throw new RangeError(`The engine could not allocate ${bytes.length} bytes`)
    this.buffer().set(bytes, ptr)
    return ptr
  }

  /** Growing the memory detaches every view of it. */
  #refreshViews(): void {
    const { buffer } = this.exports.memory
    this.#bytes = Buffer.from(buffer)
    this.#words = new Uint32Array(buffer)
  }
}

/** In Node, but not in its type declarations: decodes a range without making a view of it. */
type BufferWithUtf8Slice = Buffer & { utf8Slice(start: number, end: number): string }
