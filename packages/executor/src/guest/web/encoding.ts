import type { GuestKit, PartExports } from '../platform/kit.js'

/**
 * Installs TextEncoder and TextDecoder in the guest. The engine (quickjs-wasi 3.6.2) reads UTF-8 and UTF-16LE; every other
 * encoding is read by the host.
 */
export function installEncoding(kit: GuestKit): PartExports['encoding'] {
  const { host } = kit
  const { coded, guardInherited, wrongType } = kit.need('argument-errors')
  const { TextEncoder: EngineEncoder, TextDecoder: EngineDecoder } = kit.native
  const { isView } = ArrayBuffer
  const EMPTY = new Uint8Array(0)
  /** Labels that the engine knows and reads as the standard says. */
  const OF_ENGINE = ['utf-8', 'utf8', 'utf-16le', 'utf-16']

  const optionsOf = (options: unknown): TextDecoderOptions & TextDecodeOptions => {
    if (options === undefined || options === null) return {}
    if (typeof options === 'object' || typeof options === 'function') return options
    throw wrongType('options', 'of type object', options)
  }
  const bytesOf = (input: unknown): Uint8Array => {
    if (input instanceof ArrayBuffer) return new Uint8Array(input)
    if (isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    throw wrongType('list', 'an instance of ArrayBuffer or ArrayBufferView', input)
  }

  class TextEncoder extends EngineEncoder {
    static {
      guardInherited(TextEncoder.prototype, EngineEncoder.prototype, (encoder) =>
        (encoder as TextEncoder).#own(),
      )
    }
    #own() {
      return this
    }
    override encodeInto(...args: [text: string, into: Uint8Array]) {
      if (!(args[1] instanceof Uint8Array)) {
        throw wrongType('dest', 'an instance of Uint8Array', args[1])
      }
      return super.encodeInto.apply(this.#own(), args)
    }
  }

  class TextDecoder {
    readonly #encoding: string
    readonly #fatal: boolean
    readonly #ignoreBOM: boolean
    readonly #engine: globalThis.TextDecoder | undefined
    /** What was left of the chunk before. */
    #rest = EMPTY
    #isFirst = true

    constructor(...args: [label?: unknown, options?: TextDecoderOptions]) {
      const [label = 'utf-8', options] = args
      const { fatal, ignoreBOM } = optionsOf(options)
      this.#fatal = Boolean(fatal)
      this.#ignoreBOM = Boolean(ignoreBOM)
      const text = `${label}`
      const name = text.toLowerCase()
      const known = OF_ENGINE.includes(name) ? name : (host.now('encoding.name', text) as string)
      if (OF_ENGINE.includes(known)) {
        this.#engine = new EngineDecoder(known, { fatal: this.#fatal, ignoreBOM: this.#ignoreBOM })
      }
      this.#encoding = this.#engine?.encoding ?? known
    }
    #decodeHere(engine: globalThis.TextDecoder, bytes: Uint8Array, isLast: boolean): string {
      try {
        return engine.decode(bytes as Uint8Array<ArrayBuffer>, { stream: !isLast })
      } catch (error) {
        if (!this.#fatal || !(error instanceof TypeError)) throw error
        const message = `The encoded data was not valid for encoding ${this.#encoding}`
        throw coded('ERR_ENCODING_INVALID_ENCODED_DATA', message)
      }
    }
    get encoding() {
      return this.#encoding
    }
    get fatal() {
      return this.#fatal
    }
    get ignoreBOM() {
      return this.#ignoreBOM
    }
    decode(...args: [input?: unknown, options?: TextDecodeOptions]): string {
      const [input, options] = args
      const bytes = input === undefined ? EMPTY : bytesOf(input)
      const isLast = !optionsOf(options).stream
      if (this.#engine) return this.#decodeHere(this.#engine, bytes, isLast)
      const rest = this.#rest
      this.#rest = EMPTY
      let whole = bytes
      if (rest.length > 0) {
        whole = new Uint8Array(rest.length + bytes.length)
        whole.set(rest)
        whole.set(bytes, rest.length)
      }
      const ignoreBOM = this.#ignoreBOM || !this.#isFirst
      this.#isFirst = isLast
      const answer = host.now(
        'encoding.decode',
        this.#encoding,
        this.#fatal ? 1 : 0,
        ignoreBOM ? 1 : 0,
        isLast ? 1 : 0,
        whole,
      ) as string
      const first = answer.indexOf(':')
      const second = answer.indexOf(':', first + 1)
      const tail = whole.subarray(whole.length - Number(answer.slice(0, first)))
      const shift = Uint8Array.fromHex(answer.slice(first + 1, second))
      if (tail.length + shift.length > 0) {
        const kept = new Uint8Array(shift.length + tail.length)
        kept.set(shift)
        kept.set(tail, shift.length)
        this.#rest = kept
      }
      const text = answer.slice(second + 1)
      if (!isLast && text === '' && ignoreBOM === this.#ignoreBOM) this.#isFirst = true
      return text
    }
  }

  kit.expose({ TextEncoder, TextDecoder })
  return { TextEncoder, TextDecoder } as PartExports['encoding']
}

declare global {
  // In the engine; not yet in the declarations of TypeScript 5.9.
  interface Uint8ArrayConstructor {
    fromHex(text: string): Uint8Array<ArrayBuffer>
  }
}
