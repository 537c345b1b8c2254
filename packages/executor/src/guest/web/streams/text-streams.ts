import type { GuestKit } from '../../platform/kit.js'

/** Installs TextEncoderStream and TextDecoderStream in the guest. */
export function installTextStreams(kit: GuestKit): void {
  const { TransformStream } = kit.need('streams')
  const { TextEncoder, TextDecoder } = kit.need('encoding')

  class TextEncoderStream {
    readonly #transform: TransformStream<unknown, Uint8Array>

    constructor() {
      const encoder = new TextEncoder()
      /** The first half of a pair whose second half comes with the next chunk. */
      let half = ''
      this.#transform = new TransformStream<unknown, Uint8Array>({
        transform(chunk, controller) {
          let text = half + String(chunk)
          half = ''
          const last = text.charCodeAt(text.length - 1)
          if (last >= 0xd800 && last <= 0xdbff) {
            half = text.slice(-1)
            text = text.slice(0, -1)
          }
          if (text !== '') controller.enqueue(encoder.encode(text))
        },
        flush(controller) {
          if (half !== '') controller.enqueue(new Uint8Array([0xef, 0xbf, 0xbd]))
        },
      })
    }
    get encoding() {
      return this.#transform && 'utf-8'
    }
    get readable() {
      return this.#transform.readable
    }
    get writable() {
      return this.#transform.writable
    }
  }

  class TextDecoderStream {
    readonly #transform: TransformStream<BufferSource, string>
    readonly #decoder: TextDecoder

    constructor(label?: string, options?: TextDecoderOptions) {
      const decoder = new TextDecoder(label, options)
      this.#decoder = decoder
      this.#transform = new TransformStream<BufferSource, string>({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true })
          if (text !== '') controller.enqueue(text)
        },
        flush(controller) {
          const text = decoder.decode()
          if (text !== '') controller.enqueue(text)
        },
      })
    }
    get encoding() {
      return this.#decoder.encoding
    }
    get fatal() {
      return this.#decoder.fatal
    }
    get ignoreBOM() {
      return this.#decoder.ignoreBOM
    }
    get readable() {
      return this.#transform.readable
    }
    get writable() {
      return this.#transform.writable
    }
  }

  kit.expose({ TextEncoderStream, TextDecoderStream })
}
