import { QuickJS, type Snapshot } from 'quickjs-wasi'
import { type EngineExtension, loadEngineExtensions } from '../engine/engine-extensions.js'
import { loadEngineModule } from '../engine/engine-module.js'
import { freeHeap, locateEngineState } from '../engine/engine-state.js'
import { PoolError } from '../errors.js'
import { baseIdentity } from '../freeze/base-identity.js'
import { decodeDifference, encodeDifference } from '../freeze/difference.js'
import { freeInteriors } from '../freeze/free-chunks.js'
import type { FrozenMemory } from '../freeze/frozen-memory.js'
import { ReferenceMemory } from '../freeze/reference-memory.js'
import { HandlerImage } from '../image/handler-image.js'
import {
  copyPages,
  diffMemory,
  type MemoryRun,
  PAGE_BYTES,
  pagesBetween,
  pagesWithin,
  usedPages,
  zeroPages,
} from '../image/memory-image.js'
import { compileScript } from './compile-script.js'
import type { GuestPtr } from './guest-values.js'
import {
  HOST_FUNCTION,
  MAX_HOST_ANSWER,
  QuickJSInstance,
  type QuickJSInstanceBlueprint,
} from './quickjs-instance.js'
import { quietFileDescriptors } from './quiet-file-descriptors.js'

/** Options of a `QuickJSTemplate`. */
export interface QuickJSTemplateOptions<Entry extends string> {
  /**
   * Source of a function expression `(host) => entries`, run before any guest code. `host` is the
   * guest's one way out; `entries` is an object of the functions that the host calls.
   */
  prelude: string
  /** The names of the functions in `entries`. */
  entries: readonly Entry[]
  /** Free heap that an instance has before its memory must grow, in bytes. */
  heapBytes: number
  /** What the guest may use of the engine's native stack, in bytes; at most 524,288. */
  maxStackBytes: number
  /**
   * Whether the engine's native URL, URLSearchParams, TextEncoder, TextDecoder, Headers and structuredClone
   * are there. They are more memory to copy back after every call.
   * @default false
   */
  webExtensions?: boolean | undefined
}

const NO_EXTENSIONS: readonly EngineExtension[] = []

/** Large enough for most events; a larger one is copied through the guest's heap. */
const INPUT_BYTES = 64 * 1024
const SCRATCH_BYTES = 64
const WASM_PAGE_BYTES = 65_536
/** What WebAssembly can address. */
const MAX_MEMORY_BYTES = 2 ** 32

/**
 * The base image that all instances of one heap size start from, and the maker of handler images.
 *
 * @example
 * ```ts
 * const template = await QuickJSTemplate.create({
 *   prelude: '(host) => ({ run: (json) => JSON.stringify(JSON.parse(json)) })',
 *   entries: ['run'],
 *   heapBytes: 1024 * 1024,
 *   maxStackBytes: 256 * 1024,
 * })
 * const instance = await template.instantiate()
 * instance.begin(performance.now() + 1000, 32 * 1024 * 1024, () => 0)
 * const result = instance.call(template.entries.run, instance.newString('{"n":1}'))
 * console.log(instance.readString(result)) // {"n":1}
 * instance.rewind()
 * ```
 */
export class QuickJSTemplate<Entry extends string = string> {
  /** The image of an engine in which no handler is loaded. */
  readonly baseImage: HandlerImage
  /** The engine and its extensions, each with its version or its hash. */
  readonly programs: readonly string[]
  #identity: string | undefined
  readonly #references = new WeakMap<HandlerImage, ReferenceMemory>()

  private constructor(
    private readonly blueprint: QuickJSInstanceBlueprint,
    private readonly base: readonly MemoryRun[],
    /** Where the functions of the prelude are, in every instance of this template. */
    readonly entries: Readonly<Record<Entry, GuestPtr>>,
    /** Free heap that each instance has before its memory must grow, in bytes. */
    readonly heapBytes: number,
    /** Size of the linear memory of each instance, in bytes. */
    readonly memoryBytes: number,
    usedEnd: number,
    engineProgram: string,
  ) {
    this.baseImage = new HandlerImage(base, [], memoryBytes, usedEnd)
    this.programs = [engineProgram, ...blueprint.extensions.map(({ program }) => program)]
  }

  /**
   * Starts an engine, runs the prelude in it, and takes the image.
   *
   * @throws {@link PoolError} `INSTANCE_FAILED` when this build of the engine is not as expected
   */
  static async create<Entry extends string>(
    options: QuickJSTemplateOptions<Entry>,
  ): Promise<QuickJSTemplate<Entry>> {
    const { module: engine, constants, program } = await loadEngineModule()
    const extensions = options.webExtensions ? await loadEngineExtensions() : NO_EXTENSIONS
    const vm = await QuickJS.create({
      wasm: engine,
      extensions: [...extensions],
      maxStackSize: options.maxStackBytes,
      timezoneOffset: 0,
      interruptHandler: () => false,
      // The engine of the image reports rejections: see QuickJSInstance.
      onUnhandledRejection: () => {},
      // Time stands still while images are made: see QuickJSInstance.
      wasi: (memory) => ({
        ...quietFileDescriptors(memory),
        clock_time_get(_clockId: number, _precision: bigint, resultPtr: number): number {
          new DataView(memory.buffer).setBigUint64(resultPtr, 0n, true)
          return 0
        },
        // Nor does chance: each process must make the same image, or none could thaw what another froze.
        random_get(ptr: number, length: number): number {
          new Uint8Array(memory.buffer, ptr, length).fill(0)
          return 0
        },
      }),
    })
    const linked = vm.snapshot().extensions
    const engineExports = vm._getExports()

    const host = vm.newFunction(HOST_FUNCTION, () => vm.undefined)
    const prelude = vm.evalBytecode(await compileScript(options.prelude))
    const entriesObject = vm.callFunction(prelude, vm.undefined, host)
    const entries = {} as Record<Entry, GuestPtr>
    for (const name of options.entries) {
      const entry = entriesObject.getProp(name)
      if (!entry.isFunction) {
        throw new PoolError('INSTANCE_FAILED', `The prelude has no function ${name}`)
      }
      entries[name] = entry.ptr
    }
    for (const handle of [host, prelude, entriesObject]) handle.dispose()

    const answers = Array.from({ length: MAX_HOST_ANSWER + 1 }, (_, answer) =>
      engineExports.qjs_new_number(answer),
    )
    const blueprintPointers = {
      answers,
      undefinedPtr: vm.undefined.ptr,
      inputPtr: engineExports.wasm_malloc(INPUT_BYTES),
      inputBytes: INPUT_BYTES,
      scratchPtr: engineExports.wasm_malloc(SCRATCH_BYTES),
    }
    vm.runGC()
    // malloc and free move the allocator's break without touching what lies between.
    engineExports.wasm_free(engineExports.wasm_malloc(options.heapBytes))
    const state = locateEngineState(vm, options.heapBytes)

    const memory = Buffer.from(vm._getMemory().buffer)
    const stackPointer: number = engineExports.__stack_pointer.value
    memory.fill(0, 0, stackPointer)
    const free = freeHeap(memory, state)
    zeroPages(memory, pagesWithin(free.start, free.end))
    const base = copyPages(memory, [
      ...pagesBetween(stackPointer, free.start),
      ...usedPages(memory, Math.ceil(free.start / PAGE_BYTES) * PAGE_BYTES),
    ])
    const snapshot: Snapshot = {
      memory: sparseMemory(memory.length),
      stackPointer,
      runtimePtr: engineExports.qjs_get_runtime_ptr(),
      contextPtr: engineExports.qjs_get_context_ptr(),
      extensions: linked,
    }
    const template = new QuickJSTemplate<Entry>(
      {
        engine,
        extensions,
        unrestoredPages: new Set([
          ...pagesWithin(constants.start, constants.end),
          ...constantPages(extensions, linked),
          ...pagesWithin(blueprintPointers.inputPtr, blueprintPointers.inputPtr + INPUT_BYTES),
        ]),
        snapshot,
        state,
        maxStackBytes: options.maxStackBytes,
        ...blueprintPointers,
      },
      base,
      entries,
      options.heapBytes,
      memory.length,
      free.start,
      program,
    )
    vm.dispose()
    return template
  }

  /** Whether an instance, as it is, can be bound to this image, which must be of this template. */
  accepts(instance: QuickJSInstance, image: HandlerImage = this.baseImage): boolean {
    return (
      instance.memoryBytes === image.memoryBytes &&
      instance.extensions === this.blueprint.extensions
    )
  }

  /** Makes an instance bound to `image`, which must be of this template. */
  async instantiate(image: HandlerImage = this.baseImage): Promise<QuickJSInstance> {
    const instance = await QuickJSInstance.create(this.blueprint)
    instance.growTo(image.memoryBytes)
    instance.bind(image)
    return instance
  }

  /**
   * Takes the image of an instance that was bound to {@link baseImage} and then loaded a handler.
   *
   * @returns `undefined` when loading grew the memory: a template with a larger heap is needed
   */
  capture(instance: QuickJSInstance): HandlerImage | undefined {
    if (instance.memoryBytes !== this.memoryBytes) return undefined
    instance.scrubStack()
    const memory = instance.memory()
    const free = freeHeap(memory, this.blueprint.state)
    zeroPages(memory, pagesWithin(free.start, free.end))
    const diff = diffMemory(memory, this.base)
    return new HandlerImage(this.base, diff, this.memoryBytes, free.start)
  }

  /** Names the base image: what was frozen here can be thawed where this is the same, also in another process. */
  get identity(): string {
    const { inputPtr, inputBytes, scratchPtr, undefinedPtr, answers, snapshot } = this.blueprint
    const { stackPointer, runtimePtr, contextPtr, extensions } = snapshot
    const linked = extensions.flatMap(({ name, memoryBase, tableBase }) => [
      [`${name} memory`, memoryBase] as const,
      [`${name} table`, tableBase] as const,
    ])
    this.#identity ??= baseIdentity({
      programs: this.programs,
      base: this.base,
      memoryBytes: this.memoryBytes,
      places: {
        ...{ inputPtr, inputBytes, scratchPtr, undefinedPtr, firstAnswer: answers[0]! },
        ...{ stackPointer, runtimePtr, contextPtr },
        ...Object.fromEntries(linked),
        ...this.entries,
      },
    })
    return this.#identity
  }

  /**
   * Takes what an instance holds in addition to an image. No code of the guest may be under way, and the instance is of no
   * use after that: it must be bound again, or disposed.
   *
   * @param image of this template: the same must be there when the memory is thawed
   */
  freeze(instance: QuickJSInstance, image: HandlerImage): FrozenMemory {
    const { state, snapshot, inputPtr, inputBytes } = this.blueprint
    const memory = instance.memory()
    const reference = this.#referenceOf(image)
    for (const { start, end } of freeInteriors(memory, state) ?? []) {
      reference.copyInto(memory, start, end)
    }
    // What is left out means nothing: dead stack, the text that was handed over last, the free end of the heap.
    const difference = encodeDifference(memory, reference.upTo(memory.length), [
      { start: snapshot.stackPointer, end: inputPtr },
      { start: inputPtr + inputBytes, end: freeHeap(memory, state).start },
    ])
    return { memoryBytes: memory.length, difference }
  }

  /**
   * The image that an instance is bound to, once, to go on where {@link freeze} left one.
   *
   * @param image the one that the memory was frozen against
   * @throws {@link PoolError} `IMAGE_REFUSED` when the memory is damaged
   */
  thaw({ memoryBytes, difference }: FrozenMemory, image: HandlerImage): HandlerImage {
    const whole = memoryBytes % WASM_PAGE_BYTES === 0 && memoryBytes <= MAX_MEMORY_BYTES
    if (!whole || memoryBytes < image.memoryBytes) {
      throw new PoolError(
        'IMAGE_REFUSED',
        `The image of the sandbox cannot be read: ${memoryBytes} bytes are no size of its memory`,
      )
    }
    const bytes = Buffer.from(difference.buffer, difference.byteOffset, difference.byteLength)
    const runs = decodeDifference(bytes, memoryBytes)
    return new HandlerImage(this.base, runs, memoryBytes, 0, this.#referenceOf(image))
  }

  /** An image as what it holds in addition to the base image: {@link thaw} it on that. */
  freezeImage(image: HandlerImage): FrozenMemory {
    const { memoryBytes } = image
    const base = this.#referenceOf(this.baseImage).upTo(memoryBytes)
    const memory = this.#referenceOf(image).upTo(memoryBytes)
    const difference = encodeDifference(memory, base, [{ start: 0, end: memoryBytes }])
    return { memoryBytes, difference }
  }

  #referenceOf(image: HandlerImage): ReferenceMemory {
    let reference = this.#references.get(image)
    if (!reference) {
      reference = new ReferenceMemory(image)
      this.#references.set(image, reference)
    }
    return reference
  }
}

/** The pages that hold nothing but constants of the extensions. */
function constantPages(
  extensions: readonly EngineExtension[],
  linked: Snapshot['extensions'],
): number[] {
  return linked.flatMap(({ memoryBase }, i) =>
    pagesWithin(memoryBase, memoryBase + extensions[i]!.constantBytes),
  )
}

/**
 * Restoring a snapshot grows the memory to `byteLength` and copies `length` bytes. The image is
 * laid down by `bind`, which leaves untouched what is zero: copying all of it here would make
 * every byte of the heap resident.
 */
function sparseMemory(byteLength: number): Uint8Array {
  return { byteLength, length: 0 } as Uint8Array
}
