import type { Isolation, QuickJSUse } from '@nexus/instance-pool'
import { LRUCache } from 'lru-cache'
import type { CallLimits } from '../call/call.js'
import { memoryFailure } from '../call/guest-failure.js'
import { mentionsWebApi } from '../guest/web-apis.js'
import { GREW, type GuestGuard, LoadFailure, ModuleLoader } from './module-loader.js'

/** The heap an instance has from the start; a handler that needs more gets a larger one. */
const SMALLEST_HEAP_BYTES = 1024 * 1024
/** What a handler costs in addition to its bytecode and image. */
const OVERHEAD_BYTES = 1024

interface StoredHandler {
  readonly bytecode: Uint8Array
  /** Whether it gets the web APIs, which cost memory to rewind. */
  readonly webApis: boolean
  /** The free heap its image has; grows with what its calls turn out to need. */
  readonly heapBytes: number
  readonly uses: Partial<Record<Isolation, QuickJSUse>>
}

/** The handlers this thread knows: each as its bytecode and, once called, the image of its loaded module. */
export class HandlerStore {
  #handlers: LRUCache<string, StoredHandler>
  #loads = 0
  #evictions = 0
  readonly #loaders = new Map<string, Promise<ModuleLoader>>()
  readonly #loading = new Map<string, Promise<QuickJSUse | LoadFailure>>()

  constructor(
    private readonly maxStackBytes: number,
    maxBytes: number,
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
      webApis: mentionsWebApi(bytecode),
      heapBytes: SMALLEST_HEAP_BYTES,
      uses: {},
    })
  }

  /** What to acquire an instance with for this handler, when its image is at hand. */
  peek(key: string, isolation: Isolation): QuickJSUse | undefined {
    return this.#handlers.get(key)?.uses[isolation]
  }

  /** Runs the handler's module and keeps the image of what it left; once for concurrent callers. */
  load(
    key: string,
    isolation: Isolation,
    limits: CallLimits,
    guard: GuestGuard,
  ): Promise<QuickJSUse | LoadFailure> {
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

  /** A call grew the memory of its instance: the next image of this handler gets a heap of that size. */
  outgrew(key: string, use: QuickJSUse, memoryBytes: number): void {
    const handler = this.#handlers.get(key)
    if (handler?.uses[use.isolation] !== use) return
    const needed = memoryBytes - use.template.memoryBytes + use.template.heapBytes
    let { heapBytes } = handler
    while (heapBytes < needed) heapBytes *= 2
    this.#handlers.set(key, { ...handler, heapBytes, uses: {} })
  }

  /** The loader, and with it the template, of the smallest heap without web APIs. */
  smallestLoader(): Promise<ModuleLoader> {
    return this.#loader(SMALLEST_HEAP_BYTES, false)
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
  ): Promise<QuickJSUse | LoadFailure> {
    const handler = this.#handlers.get(key)
    if (!handler) throw new Error(`Handler ${key} is not known to this thread`)
    let { heapBytes } = handler
    for (;;) {
      const loader = await this.#loader(heapBytes, handler.webApis)
      // The two isolation modes differ in how an instance is reset, not in its image.
      const image = (handler.uses.pristine ?? handler.uses.shared)?.image
      if (!image) this.#loads++
      const loaded = image ?? (await loader.load(handler.bytecode, limits, guard))
      if (loaded === GREW) {
        if (heapBytes > limits.memoryLimitBytes) return new LoadFailure(memoryFailure())
        heapBytes *= 2
        // Loading that ran out of time on the way here starts from this heap the next time.
        this.#handlers.set(key, { ...handler, heapBytes })
        continue
      }
      if (loaded instanceof LoadFailure) return loaded
      const use: QuickJSUse = { image: loaded, template: loader.template, isolation }
      const uses = { ...handler.uses, [isolation]: use }
      this.#handlers.set(key, { ...handler, heapBytes, uses })
      return use
    }
  }

  #create(maxBytes: number): LRUCache<string, StoredHandler> {
    return new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytecode, uses }) => {
        const image = (uses.pristine ?? uses.shared)?.image
        return bytecode.length + (image?.byteLength ?? 0) + OVERHEAD_BYTES
      },
      dispose: (_handler, _key, reason) => {
        if (reason === 'evict') this.#evictions++
      },
    })
  }

  #loader(heapBytes: number, webApis: boolean): Promise<ModuleLoader> {
    const kind = `${webApis ? 'web' : 'plain'}:${heapBytes}`
    let loader = this.#loaders.get(kind)
    if (!loader) {
      loader = ModuleLoader.create(heapBytes, this.maxStackBytes, webApis)
      this.#loaders.set(kind, loader)
      loader.catch(() => this.#loaders.delete(kind))
    }
    return loader
  }
}
