import type { HandlerImage, Isolation, QuickJSUse } from '@nexus/instance-pool'
import { LRUCache } from 'lru-cache'
import type { CallLimits } from '../call/call.js'
import { memoryFailure } from '../call/guest-failure.js'
import type { PartName } from '../guest/platform/part.js'
import { areNative } from '../guest/platform/parts.js'
import { partsOf } from '../guest/platform/parts-of.js'
import type { NativeObjects } from '../native/native-objects.js'
import type { ThreadPoolGate } from '../native/thread-pool-slots.js'
import {
  GREW,
  type GuestGuard,
  LoadFailure,
  ModuleLoader,
  type TemplateKind,
} from './module-loader.js'
import { PartCompiler } from './part-compiler.js'
import type { PartBytecodes } from './part-installer.js'

/** The heap an instance has from the start; a handler that needs more gets a larger one. */
const SMALLEST_HEAP_BYTES = 1024 * 1024
/** What a handler costs in addition to its bytecode and image. */
const OVERHEAD_BYTES = 1024

/** What a handler's call needs an instance for, and what the host keeps for every call of it. */
export interface HandlerUse extends QuickJSUse {
  /** Of the template. */
  readonly loader: ModuleLoader
  /** The parts of the platform in its image. */
  readonly parts: Iterable<PartName>
  /** Made while the module loaded, such as keys. */
  readonly objects: NativeObjects
  /** What the memory of its call is compared with when it is frozen. */
  readonly reference: HandlerImage
}

interface StoredHandler {
  readonly bytecode: Uint8Array
  /** The parts of the platform in its image: those that its code names, and those that its calls turned out to need. */
  readonly parts: ReadonlySet<PartName>
  /** The free heap its image has; grows with what its calls turn out to need. */
  readonly heapBytes: number
  readonly uses: Partial<Record<Isolation, HandlerUse>>
}

/** The handlers this thread knows: each as its bytecode and, once called, the image of its loaded module. */
export class HandlerStore {
  #handlers: LRUCache<string, StoredHandler>
  #loads = 0
  #evictions = 0
  readonly #loaders = new Map<string, Promise<ModuleLoader>>()
  readonly #parts = new PartCompiler()
  readonly #loading = new Map<string, Promise<HandlerUse | LoadFailure>>()

  constructor(
    private readonly maxStackBytes: number,
    maxBytes: number,
    private readonly gate: ThreadPoolGate,
  ) {
    this.#handlers = this.#create(maxBytes)
  }

  /** Modules that were run to make an image. */
  get loads(): number {
    return this.#loads
  }

  /** Handlers dropped for space. */
  get evictions(): number {
    return this.#evictions
  }

  /** Keeps what was called last, as far as it fits. */
  resize(maxBytes: number): void {
    const kept = this.#handlers.dump()
    this.#handlers = this.#create(maxBytes)
    this.#handlers.load(kept)
  }

  /** How many handlers are known. */
  get size(): number {
    return this.#handlers.size
  }

  /** What their bytecode and images hold. */
  get bytes(): number {
    return this.#handlers.calculatedSize
  }

  has(key: string): boolean {
    return this.#handlers.has(key)
  }

  add(key: string, bytecode: Uint8Array): void {
    if (this.#handlers.has(key)) return
    this.#handlers.set(key, {
      bytecode,
      parts: partsOf(bytecode),
      heapBytes: SMALLEST_HEAP_BYTES,
      uses: {},
    })
  }

  /** What to acquire an instance with for this handler, when its image is at hand. */
  peek(key: string, isolation: Isolation): HandlerUse | undefined {
    return this.#handlers.get(key)?.uses[isolation]
  }

  /** Runs the handler's module and keeps the image of what it left; once for concurrent callers. */
  load(
    key: string,
    isolation: Isolation,
    limits: CallLimits,
    guard: GuestGuard,
  ): Promise<HandlerUse | LoadFailure> {
    const loadingKey = `${isolation}:${key}`
    let loading = this.#loading.get(loadingKey)
    if (!loading) {
      loading = this.#load(key, isolation, limits, guard).finally(() =>
        this.#loading.delete(loadingKey),
      )
      this.#loading.set(loadingKey, loading)
    }
    return loading
  }

  /** The parts of the platform that a call may install. */
  get partBytecodes(): PartBytecodes {
    return this.#parts.compiled
  }

  /** A call needed more than its image has: the next image of this handler has that memory and those parts. */
  outgrew(
    key: string,
    use: QuickJSUse,
    memoryBytes: number,
    installed: ReadonlySet<PartName>,
  ): void {
    const handler = this.#handlers.get(key)
    if (handler?.uses[use.isolation] !== use) return
    const needed = memoryBytes - use.template.memoryBytes + use.template.heapBytes
    let { heapBytes } = handler
    while (heapBytes < needed) heapBytes *= 2
    const parts = new Set([...handler.parts, ...installed])
    this.#handlers.set(key, { ...handler, heapBytes, parts, uses: {} })
  }

  /** The loader, and with it the template, of the smallest heap without native extensions. */
  smallestLoader(): Promise<ModuleLoader> {
    return this.#loader(SMALLEST_HEAP_BYTES, false)
  }

  /** The loader whose base image the scripts of contexts start from: they may come to use any part of the platform. */
  contextLoader(): Promise<ModuleLoader> {
    return this.#loader(SMALLEST_HEAP_BYTES, true)
  }

  /** The loader of a template; it is made where it is not there yet. */
  loader({ heapBytes, native, maxStackBytes }: TemplateKind): Promise<ModuleLoader> {
    return this.#loader(heapBytes, native, maxStackBytes)
  }

  /** Compiles parts of the platform that a call is to have. */
  compileParts(parts: Iterable<PartName>): Promise<void> {
    return this.#parts.compile(parts)
  }

  async dispose(): Promise<void> {
    for (const loader of this.#loaders.values()) (await loader).dispose()
    this.#loaders.clear()
    this.#handlers.clear()
  }

  async #load(
    key: string,
    isolation: Isolation,
    limits: CallLimits,
    guard: GuestGuard,
  ): Promise<HandlerUse | LoadFailure> {
    const handler = this.#handlers.get(key)
    if (!handler) throw new Error(`Handler ${key} is not known to this thread`)
    let { heapBytes } = handler
    const { parts } = handler
    await this.#parts.compile(parts)
    const platform = { parts, bytecodes: this.#parts.compiled }
    for (;;) {
      const loader = await this.#loader(heapBytes, areNative(parts))
      // The two isolation modes differ in how an instance is reset, not in its image.
      const other = handler.uses.pristine ?? handler.uses.shared
      if (!other) this.#loads++
      const loaded = other ?? (await loader.load(handler.bytecode, platform, limits, guard))
      if (loaded === GREW) {
        if (heapBytes > limits.memoryLimitBytes) return new LoadFailure(memoryFailure())
        heapBytes *= 2
        // Loading that ran out of time on the way here starts from this heap the next time.
        this.#handlers.set(key, { ...handler, heapBytes })
        continue
      }
      if (loaded instanceof LoadFailure) return loaded
      const { image, objects } = loaded
      const { template } = loader
      const use: HandlerUse = {
        ...{ image, objects, template, isolation },
        ...{ loader, parts, reference: image },
      }
      const uses = { ...handler.uses, [isolation]: use }
      this.#handlers.set(key, { ...handler, heapBytes, uses })
      return use
    }
  }

  #create(maxBytes: number): LRUCache<string, StoredHandler> {
    return new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytecode, uses }) => {
        const use = uses.pristine ?? uses.shared
        const loadedBytes = use ? use.image.byteLength + use.objects.bytes : 0
        // One that is too large for the limit stays alone: a thread that never knows it would be told of it for ever.
        return Math.min(maxBytes, bytecode.length + loadedBytes + OVERHEAD_BYTES)
      },
      dispose: (_handler, _key, reason) => {
        if (reason === 'evict') this.#evictions++
      },
    })
  }

  #loader(
    heapBytes: number,
    native: boolean,
    maxStackBytes = this.maxStackBytes,
  ): Promise<ModuleLoader> {
    const kind = `${native ? 'native' : 'plain'}:${heapBytes}:${maxStackBytes}`
    let loader = this.#loaders.get(kind)
    if (!loader) {
      loader = ModuleLoader.create({ heapBytes, maxStackBytes, native }, this.gate)
      this.#loaders.set(kind, loader)
      loader.catch(() => this.#loaders.delete(kind))
    }
    return loader
  }
}
