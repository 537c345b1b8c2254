import type { GuestKit, PartExports } from '../../platform/kit.js'

/** Installs Headers in the guest: the engine's own (quickjs-wasi 3.6.2), made of records, maps and other iterables too. */
export function installHeaders(kit: GuestKit): PartExports['headers'] {
  const { Headers: EngineHeaders } = kit.native
  const { guardInherited, requireCount } = kit.need('argument-errors')

  const pairsOf = (init: object): [unknown, unknown][] => {
    if (!(Symbol.iterator in init)) return Object.entries(init)
    return Array.from(init as Iterable<Iterable<unknown>>, (pair) => {
      const parts = Array.from(pair)
      if (parts.length !== 2) throw new TypeError('Headers: expected pairs of a name and a value')
      return parts as [unknown, unknown]
    })
  }

  let makeImmutable: (headers: globalThis.Headers) => void
  class Headers extends EngineHeaders {
    #isImmutable = false

    static {
      guardInherited(Headers.prototype, EngineHeaders.prototype, (headers) =>
        (headers as Headers).#own(),
      )
      makeImmutable = (headers) => {
        ;(headers as Headers).#isImmutable = true
      }
    }
    constructor(...[init]: [init?: unknown]) {
      super()
      if (init === undefined) return
      if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
        throw new TypeError('Headers: expected pairs, a record or other headers')
      }
      for (const [name, value] of pairsOf(init)) {
        this.append(String(name), String(value))
      }
    }
    override append(...args: [name: string, value: string]) {
      requireCount(args, 2, 'Headers.append')
      this.#check()
      super.append(...args)
    }
    override delete(...args: [name: string]) {
      requireCount(args, 1, 'Headers.delete')
      this.#check()
      super.delete(...args)
    }
    override get(...args: [name: string]) {
      requireCount(args, 1, 'Headers.get')
      return super.get.apply(this.#own(), args)
    }
    override has(...args: [name: string]) {
      requireCount(args, 1, 'Headers.has')
      return super.has.apply(this.#own(), args)
    }
    override set(...args: [name: string, value: string]) {
      requireCount(args, 2, 'Headers.set')
      this.#check()
      super.set(...args)
    }
    #own() {
      return this
    }
    #check() {
      if (this.#isImmutable) throw new TypeError('These headers are immutable')
    }
  }
  kit.expose({ Headers })
  return { Headers, makeImmutable: makeImmutable! }
}
