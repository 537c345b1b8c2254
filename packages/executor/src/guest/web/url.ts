import type { GuestKit, PartExports } from '../platform/kit.js'

/**
 * Installs URL and URLSearchParams in the guest: the engine's own (quickjs-wasi 3.6.2) and what they lack,
 * `searchParams`, `URL.parse`, and being made of records, maps and other iterables.
 */
export function installUrl(kit: GuestKit): PartExports['url'] {
  const { URL: EngineURL, URLSearchParams: EngineSearchParams } = kit.native
  const { coded, guardInherited, require, wrongType } = kit.need('argument-errors')
  const { assign, entries } = Object

  const pairsOf = (init: object): [unknown, unknown][] => {
    if (!(Symbol.iterator in init)) return entries(init)
    return Array.from(init as Iterable<Iterable<unknown>>, (pair) => {
      const parts = Array.from(pair)
      if (parts.length !== 2) {
        throw coded('ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple')
      }
      return parts as [unknown, unknown]
    })
  }

  let follow: (params: URLSearchParams, changed: (search: string) => void) => void
  let refill: (params: URLSearchParams, search: string) => void
  class URLSearchParams extends EngineSearchParams {
    #changed: ((search: string) => void) | undefined

    static {
      guardInherited(URLSearchParams.prototype, EngineSearchParams.prototype, (params) =>
        (params as URLSearchParams).#own(),
      )
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
      super(isObject ? '' : `${init}`)
      if (!isObject) return
      for (const [name, value] of pairsOf(init)) {
        super.append(String(name), String(value))
      }
    }
    override append(...args: [name: string, value: string]) {
      require(args, 'name', 'value')
      super.append.apply(this.#own(), args)
      this.#changed?.(this.toString())
    }
    override get(...args: [name: string]) {
      require(args, 'name')
      return super.get.apply(this.#own(), args)
    }
    override getAll(...args: [name: string]) {
      require(args, 'name')
      return super.getAll.apply(this.#own(), args)
    }
    override has(...args: [name: string, value?: string]) {
      require(args, 'name')
      return super.has.apply(this.#own(), args)
    }
    override set(...args: [name: string, value: string]) {
      require(args, 'name', 'value')
      super.set.apply(this.#own(), args)
      this.#changed?.(this.toString())
    }
    override delete(...args: [name: string, value?: string]) {
      require(args, 'name')
      super.delete.apply(this.#own(), args)
      this.#changed?.(this.toString())
    }
    override forEach(
      ...args: [
        callback: (value: string, name: string, params: globalThis.URLSearchParams) => void,
        self?: unknown,
      ]
    ) {
      if (typeof args[0] !== 'function') throw wrongType('callback', 'of type function', args[0])
      super.forEach.apply(this.#own(), args)
    }
    override sort() {
      super.sort.call(this.#own())
      this.#changed?.(this.toString())
    }
    #own() {
      return this
    }
  }

  const engineUrl = EngineURL.prototype
  const accessor = (name: 'search' | 'href') =>
    Object.getOwnPropertyDescriptor(engineUrl, name) as { get(): string; set(text: string): void }
  const search = accessor('search')
  const href = accessor('href')

  /** With what Node's errors say: programs look at the code. */
  const named = (error: unknown, url: unknown, base: unknown): unknown => {
    if (!(error instanceof TypeError) || error.message !== 'Invalid URL') return error
    const said = { code: 'ERR_INVALID_URL', input: `${url}` }
    return assign(error, base === undefined ? said : { ...said, base: `${base}` })
  }

  class URL extends EngineURL {
    #params: URLSearchParams | undefined

    static {
      guardInherited(URL.prototype, engineUrl, (url) => (url as URL).#own())
    }
    constructor(...args: [url: string | globalThis.URL, base?: string | globalThis.URL]) {
      require(args, 'url')
      try {
        super(...args)
      } catch (error) {
        throw named(error, args[0], args[1])
      }
    }
    static override canParse(
      ...args: [url: string | globalThis.URL, base?: string | globalThis.URL]
    ) {
      require(args, 'url')
      return EngineURL.canParse(...args)
    }
    static override parse(...args: [url: string | globalThis.URL, base?: string | globalThis.URL]) {
      require(args, 'url')
      const texts = args.map((arg) => (arg === undefined ? arg : `${arg}`)) as [string, string?]
      try {
        return new URL(...texts)
      } catch {
        return null
      }
    }
    #own() {
      return this
    }
    override get searchParams(): URLSearchParams {
      if (!this.#params) {
        this.#params = new URLSearchParams(this.search)
        follow(this.#params, (text) => search.set.call(this, text))
      }
      return this.#params
    }
    override get search() {
      return search.get.call(this.#own())
    }
    override set search(text: string) {
      search.set.call(this.#own(), text)
      if (this.#params) refill(this.#params, this.search)
    }
    override get href() {
      return href.get.call(this.#own())
    }
    override set href(text: string) {
      try {
        href.set.call(this.#own(), text)
      } catch (error) {
        throw named(error, text, undefined)
      }
      if (this.#params) refill(this.#params, this.search)
    }
  }

  kit.expose({ URL, URLSearchParams })
  return { URL, URLSearchParams } as PartExports['url']
}
