/**
 * Completes what the engine's URL, URLSearchParams and Headers (quickjs-wasi 3.6.2) lack:
 * `searchParams`, `URL.parse`, and being made of records, maps and other iterables.
 *
 * The guest gets the source of this function: it may use nothing but globals.
 */
export function installEngineGaps(): void {
  const { URL: EngineURL, URLSearchParams: EngineSearchParams, Headers: EngineHeaders } = globalThis
  const { defineProperty, entries } = Object

  const pairsOf = (init: object, what: string): [unknown, unknown][] => {
    if (!(Symbol.iterator in init)) return entries(init)
    return Array.from(init as Iterable<Iterable<unknown>>, (pair) => {
      const parts = Array.from(pair)
      if (parts.length !== 2) throw new TypeError(`${what}: expected pairs of a name and a value`)
      return parts as [unknown, unknown]
    })
  }

  let follow: (params: URLSearchParams, changed: (search: string) => void) => void
  let refill: (params: URLSearchParams, search: string) => void
  class URLSearchParams extends EngineSearchParams {
    #changed: ((search: string) => void) | undefined

    static {
      follow = (params, changed) => {
        params.#changed = changed
      }
      refill = (params, search) => {
        for (const name of [...params.keys()])
          EngineSearchParams.prototype.delete.call(params, name)
        new EngineSearchParams(search).forEach((value, name) => {
          EngineSearchParams.prototype.append.call(params, name, value)
        })
      }
    }
    constructor(init: unknown = '') {
      const isObject = typeof init === 'object' && init !== null
      super(isObject ? '' : String(init))
      if (!isObject) return
      for (const [name, value] of pairsOf(init, 'URLSearchParams')) {
        super.append(String(name), String(value))
      }
    }
    override append(name: string, value: string) {
      super.append(name, value)
      this.#changed?.(this.toString())
    }
    override set(name: string, value: string) {
      super.set(name, value)
      this.#changed?.(this.toString())
    }
    override delete(...args: [name: string, value?: string]) {
      super.delete(...args)
      this.#changed?.(this.toString())
    }
    override sort() {
      super.sort()
      this.#changed?.(this.toString())
    }
  }

  const engineUrl = EngineURL.prototype
  const accessor = (name: 'search' | 'href') =>
    Object.getOwnPropertyDescriptor(engineUrl, name) as { get(): string; set(text: string): void }
  const search = accessor('search')
  const href = accessor('href')

  class URL extends EngineURL {
    #params: URLSearchParams | undefined

    static override parse(url: string, base?: string) {
      try {
        return base === undefined ? new URL(url) : new URL(url, base)
      } catch {
        return null
      }
    }
    override get searchParams(): URLSearchParams {
      if (!this.#params) {
        this.#params = new URLSearchParams(this.search)
        follow(this.#params, (text) => search.set.call(this, text))
      }
      return this.#params
    }
    override get search() {
      return search.get.call(this)
    }
    override set search(text: string) {
      search.set.call(this, text)
      if (this.#params) refill(this.#params, this.search)
    }
    override get href() {
      return href.get.call(this)
    }
    override set href(text: string) {
      href.set.call(this, text)
      if (this.#params) refill(this.#params, this.search)
    }
  }

  class Headers extends EngineHeaders {
    constructor(init?: unknown) {
      super()
      if (init === undefined) return
      if (typeof init !== 'object' || init === null) {
        throw new TypeError('Headers: expected pairs, a record or other headers')
      }
      for (const [name, value] of pairsOf(init, 'Headers')) {
        this.append(String(name), String(value))
      }
    }
  }

  for (const [name, api] of entries({ URL, URLSearchParams, Headers })) {
    defineProperty(globalThis, name, { value: api, writable: true, configurable: true })
    // A bundler may have renamed the class.
    defineProperty(api, 'name', { value: name, configurable: true })
  }
  for (const name of ['URL', 'URLSearchParams', 'Headers', 'TextEncoder', 'TextDecoder'] as const) {
    defineProperty(globalThis[name].prototype, Symbol.toStringTag, {
      value: name,
      configurable: true,
    })
  }
}
