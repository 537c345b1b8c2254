import type { GuestKit, PartExports } from '../../platform/kit.js'

/** Installs Blob and File in the guest. A blob holds its bytes. */
export function installBlob(kit: GuestKit): PartExports['blob'] {
  const { coded, require, wrongType } = kit.need('argument-errors')
  const { TextEncoder, TextDecoder } = kit.need('encoding')
  const { concat: joined, streamOfBytes } = kit.need('bytes')
  const { isView } = ArrayBuffer
  const { now } = Date
  const { max, min, trunc } = Math
  const encoder = new TextEncoder()
  /** What only this part may hand to a constructor: these very bytes. */
  const INTERNAL = Symbol()

  const typeOf = (type: unknown): string => {
    const text = String(type)
    return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : ''
  }
  const isObject = (value: unknown): value is object =>
    (typeof value === 'object' && value !== null) || typeof value === 'function'
  const viewOf = (part: ArrayBuffer | ArrayBufferView): Uint8Array =>
    isView(part)
      ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
      : new Uint8Array(part)
  const bytesOfPart = (part: unknown, isNative: boolean): Uint8Array => {
    if (part instanceof ArrayBuffer || isView(part)) return viewOf(part)
    if (part instanceof Blob) return bytesOf(part)
    const text = `${part}`
    return encoder.encode(isNative ? text.replace(/\r\n?|\n/g, '\n') : text)
  }
  const concat = (parts: unknown, endings: unknown): Uint8Array => {
    if (parts === undefined) return new Uint8Array(0)
    if (!isObject(parts) || typeof (parts as Iterable<unknown>)[Symbol.iterator] !== 'function') {
      throw wrongType('sources', 'a sequence', parts)
    }
    const pieces: Uint8Array[] = []
    let length = 0
    for (const part of parts as Iterable<unknown>) {
      const bytes = bytesOfPart(part, endings === 'native')
      pieces.push(bytes)
      length += bytes.length
    }
    return joined(pieces, length)
  }
  const optionsOf = (options: unknown): { type?: unknown; endings?: unknown } => {
    if (options === undefined || options === null) return {}
    if (isObject(options)) return options
    throw wrongType('options', 'a dictionary', options)
  }
  /** A position from the start, of one that may count from the end. */
  const position = (at: unknown, size: number, otherwise: number): number => {
    if (at === undefined) return otherwise
    const whole = trunc(Number(at)) || 0
    return whole < 0 ? max(size + whole, 0) : min(whole, size)
  }

  let bytesOf: (blob: globalThis.Blob) => Uint8Array
  class Blob {
    readonly #bytes: Uint8Array
    readonly #type: string

    static {
      bytesOf = (blob) => (blob as unknown as Blob).#bytes
    }
    constructor(...args: [parts?: unknown, options?: unknown, internal?: symbol]) {
      const [parts, options, internal] = args
      const { type = '', endings = 'transparent' } = optionsOf(options)
      if (endings !== 'transparent' && endings !== 'native') {
        const message = `The property 'options.endings' is invalid. Received ${String(endings)}`
        throw coded('ERR_INVALID_ARG_VALUE', message)
      }
      this.#bytes = internal === INTERNAL ? (parts as Uint8Array) : concat(parts, endings)
      this.#type = typeOf(type)
    }
    get size() {
      return this.#bytes.length
    }
    get type() {
      return this.#type
    }
    slice(start?: unknown, end?: unknown, type: unknown = '') {
      const { length } = this.#bytes
      const from = position(start, length, 0)
      const to = max(position(end, length, length), from)
      return new Blob(this.#bytes.subarray(from, to), { type }, INTERNAL)
    }
    async arrayBuffer() {
      return this.#bytes.slice().buffer
    }
    async bytes() {
      return this.#bytes.slice()
    }
    async text() {
      return new TextDecoder().decode(this.#bytes)
    }
    stream() {
      return streamOfBytes(this.#bytes)
    }
  }

  class File extends Blob {
    readonly #name: string
    readonly #lastModified: number

    constructor(...args: [parts: unknown, name: unknown, options?: unknown, internal?: symbol]) {
      require(args, 'fileBits', 'fileName')
      const [parts, name, options, internal] = args
      if (internal !== INTERNAL && !isObject(parts)) throw wrongType('sources', 'a sequence', parts)
      super(parts, options, internal)
      const { lastModified } = (options ?? {}) as FilePropertyBag
      this.#name = String(name).toWellFormed()
      this.#lastModified = lastModified === undefined ? now() : trunc(Number(lastModified)) || 0
    }
    get name() {
      return this.#name
    }
    get lastModified() {
      return this.#lastModified
    }
    get webkitRelativePath() {
      return ''
    }
  }

  kit.expose({ Blob, File })
  return {
    Blob,
    File,
    bytesOf: bytesOf!,
    blobOf: (bytes: Uint8Array, type: string) => new Blob(bytes, { type }, INTERNAL),
  } as unknown as PartExports['blob']
}
