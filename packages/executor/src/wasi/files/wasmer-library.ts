type Wasmer = typeof import('@wasmer/wasi')

/**
 * `@wasmer/wasi`, which keeps one WebAssembly instance of its own per thread.
 *
 * It is loaded when the first command that imports file functions is called, and again after it trapped:
 * the state of its memory after a trap is unknown. All that it held is lost then.
 */
class WasmerLibrary {
  #wasmer: Wasmer | undefined
  #loading: Promise<Wasmer> | undefined
  #isBroken = false
  /** Counts how often it was loaded; what an earlier one made is not valid any more. */
  generation = 0

  /** The library, when it is loaded and well. */
  get current(): Wasmer | undefined {
    return this.#isBroken ? undefined : this.#wasmer
  }

  /** Loads it unless it is loaded and well; once for concurrent callers. */
  load(): Promise<Wasmer> {
    if (this.current) return Promise.resolve(this.current)
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** It trapped. */
  markBroken(): void {
    this.#isBroken = true
  }

  async #load(): Promise<Wasmer> {
    const wasmer = await import('@wasmer/wasi')
    await wasmer.init(undefined, this.#isBroken)
    this.generation++
    this.#isBroken = false
    this.#wasmer = wasmer
    return wasmer
  }
}

/** One per thread, as the package itself is. */
export const wasmerLibrary = new WasmerLibrary()
