import type { GuestKit } from '../../platform/kit.js'

/**
 * Installs CompressionStream and DecompressionStream in the guest. The host compresses, chunk by chunk; a stream that a module
 * makes while it loads starts in the call that first writes to it.
 */
export function installCompression(kit: GuestKit): void {
  const { host } = kit
  const { coded, wrongType } = kit.need('argument-errors')
  const { TransformStream } = kit.need('streams')
  const { isView } = ArrayBuffer
  const FORMATS = ['deflate', 'deflate-raw', 'gzip']

  const bytesOf = (chunk: unknown): Uint8Array => {
    if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
    if (isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    throw wrongType('chunk', 'an instance of ArrayBuffer or ArrayBufferView', chunk)
  }
  const transformOf = (kind: string, format: unknown) => {
    const name = typeof format === 'symbol' ? '' : `${format}`
    if (!FORMATS.includes(name)) {
      const message = `The argument 'format' must be one of: ${FORMATS.join(', ')}. Received ${String(format)}`
      throw coded('ERR_INVALID_ARG_VALUE', message)
    }
    let id: number | undefined
    const run = async (
      chunk: Uint8Array,
      isLast: boolean,
      out: TransformStreamDefaultController,
    ) => {
      id ??= Number(host.now('compression.open', `${kind} ${name}`))
      let given = chunk
      let ends = isLast ? 1 : 0
      for (;;) {
        const answer = new Uint8Array(
          (await host.later('compression.run', id, given, ends)) as ArrayBuffer,
        )
        if (answer.length > 1) out.enqueue(answer.slice(1))
        if (answer[0] === 0) return
        given = new Uint8Array(0)
        ends = 0
      }
    }
    return new TransformStream<unknown, Uint8Array>({
      transform: (chunk, out) => run(bytesOf(chunk), false, out),
      flush: (out) => run(new Uint8Array(0), true, out),
    })
  }

  class CompressionStream {
    readonly #transform: TransformStream
    constructor(format: unknown) {
      this.#transform = transformOf('compress', format)
    }
    get readable() {
      return this.#transform.readable
    }
    get writable() {
      return this.#transform.writable
    }
  }
  class DecompressionStream {
    readonly #transform: TransformStream
    constructor(format: unknown) {
      this.#transform = transformOf('decompress', format)
    }
    get readable() {
      return this.#transform.readable
    }
    get writable() {
      return this.#transform.writable
    }
  }
  kit.expose({ CompressionStream, DecompressionStream })
}
