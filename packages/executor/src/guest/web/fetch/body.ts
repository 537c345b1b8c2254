import type { ArrivingBody, BodySource, GuestKit, PartExports } from '../../platform/kit.js'

/**
 * The body of requests and responses: bytes at hand, bytes that still arrive from the host, or a stream. It only becomes
 * a stream when a handler asks for one, so that the others need no streams.
 */
export function installBody(kit: GuestKit): PartExports['body'] {
  const { URLSearchParams } = kit.need('url')
  const { TextEncoder, TextDecoder } = kit.need('encoding')
  const { concat, streamOfBytes } = kit.need('bytes')
  const { parse } = JSON
  const { isView } = ArrayBuffer
  const encoder = new TextEncoder()

  type Source = BodySource
  const bytesSource = (bytes: Uint8Array): Source => ({ kind: 'bytes', bytes })

  const extract = (init: unknown): { source: Source | null; type?: string } => {
    if (init === null || init === undefined) return { source: null }
    if (typeof init === 'object') {
      if (init instanceof URLSearchParams) {
        return {
          source: bytesSource(encoder.encode(init.toString())),
          type: 'application/x-www-form-urlencoded;charset=UTF-8',
        }
      }
      if (init instanceof ArrayBuffer) return { source: bytesSource(new Uint8Array(init.slice(0))) }
      if (isView(init)) {
        const { buffer, byteOffset, byteLength } = init
        return { source: bytesSource(new Uint8Array(buffer, byteOffset, byteLength).slice()) }
      }
      const blobs = kit.loaded('blob')
      if (blobs && init instanceof blobs.Blob) {
        const source = bytesSource(blobs.bytesOf(init))
        return init.type === '' ? { source } : { source, type: init.type }
      }
      const forms = kit.loaded('form-data')
      if (forms && init instanceof forms.FormData) {
        const { bytes, type } = forms.encodeForm(init)
        return { source: bytesSource(bytes), type }
      }
      const streams = kit.loaded('streams')
      if (streams && init instanceof streams.ReadableStream) {
        if (init.locked || streams.isDisturbed(init)) {
          throw new TypeError('The stream of a body must be neither locked nor read from')
        }
        return { source: { kind: 'stream', stream: init as ReadableStream<Uint8Array> } }
      }
      if (Symbol.asyncIterator in init) {
        const { ReadableStream } = kit.need('streams')
        return { source: { kind: 'stream', stream: ReadableStream.from(init) } }
      }
    }
    return { source: bytesSource(encoder.encode(`${init}`)), type: 'text/plain;charset=UTF-8' }
  }

  /** A content type as the MIME Sniffing standard writes it; `''` for what is none. */
  const mimeType = (text: string): string => {
    const [essence = '', ...parameters] = text.split(';')
    if (!/^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*$/.test(essence)) return ''
    let whole = essence.trim().toLowerCase()
    const seen = new Set<string>()
    for (const parameter of parameters) {
      const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)=("[^"]*"|[^\s]+)\s*$/.exec(parameter) ?? []
      if (name === undefined || seen.has(name.toLowerCase())) continue
      seen.add(name.toLowerCase())
      whole += `;${name.toLowerCase()}=${value}`
    }
    return whole
  }

  const unusable = () => new TypeError('Body is unusable: Body has already been read')

  const checked = (chunk: unknown): Uint8Array => {
    if (chunk instanceof Uint8Array) return chunk
    throw new TypeError('The stream of a body must be made of Uint8Arrays')
  }
  const readStream = async (stream: ReadableStream<unknown>): Promise<Uint8Array> => {
    const reader = stream.getReader()
    const chunks: Uint8Array[] = []
    let length = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return concat(chunks, length)
      try {
        length += checked(value).length
      } catch (error) {
        void reader.cancel(error)
        throw error
      }
      chunks.push(value as Uint8Array)
    }
  }

  const streamOfArriving = (
    arriving: ArrivingBody,
    first: Uint8Array,
  ): ReadableStream<Uint8Array> => {
    const { ReadableStream } = kit.need('streams')
    return new ReadableStream({
      type: 'bytes',
      start(controller) {
        const { signal } = arriving
        signal.addEventListener('abort', () => controller.error(signal.reason))
        if (first.length > 0) controller.enqueue(first as Uint8Array<ArrayBuffer>)
      },
      async pull(controller) {
        const { bytes, ended } = await arriving.read(false)
        if (bytes.length > 0) controller.enqueue(bytes as Uint8Array<ArrayBuffer>)
        if (!ended) return
        controller.close()
        controller.byobRequest?.respond(0)
      },
      cancel: () => arriving.cancel(),
    })
  }
  /** The stream of a body that was read before its stream was asked for. */
  const spentStream = (): ReadableStream<Uint8Array> => {
    const stream = streamOfBytes(new Uint8Array(0))
    void stream.getReader().read()
    return stream
  }

  let sourceOf: (body: Body) => Source | null
  let streamOf: (body: Body) => ReadableStream<Uint8Array>
  let isUnusable: (body: Body) => boolean
  let replaceSource: (body: Body, source: Source) => void
  let markUsed: (body: Body) => void
  class Body {
    #source: Source | null
    #used = false

    static {
      sourceOf = (body) => body.#source
      streamOf = (body) => body.#stream(body.#source!)
      isUnusable = (body) => body.#isUnusable()
      replaceSource = (body, source) => {
        body.#source = source
      }
      markUsed = (body) => {
        body.#used = true
      }
    }
    constructor(source: Source | null) {
      this.#source = source
    }
    get body(): ReadableStream<Uint8Array> | null {
      return this.#source && this.#stream(this.#source)
    }
    get bodyUsed(): boolean {
      const source = this.#source
      return (
        this.#used ||
        (source?.kind === 'stream' && kit.loaded('streams')!.isDisturbed(source.stream))
      )
    }
    async arrayBuffer() {
      return (await this.#take()).slice().buffer
    }
    async blob() {
      const type = (this as unknown as { headers: Headers }).headers.get('content-type')
      const bytes = await this.#take()
      return kit.need('blob').blobOf(bytes, mimeType(type ?? ''))
    }
    async bytes() {
      return (await this.#take()).slice()
    }
    async formData() {
      const type = (this as unknown as { headers: Headers }).headers.get('content-type')
      const { parseForm } = kit.need('form-data')
      return parseForm(await this.#take(), type ?? '')
    }
    async json() {
      return parse(await this.#text())
    }
    async text() {
      return this.#text()
    }
    async #text() {
      return new TextDecoder().decode(await this.#take())
    }
    async #take(): Promise<Uint8Array> {
      if (this.#isUnusable()) throw unusable()
      const source = this.#source
      if (source === null) return new Uint8Array(0)
      this.#used = true
      if (source.kind === 'bytes') return source.bytes
      if (source.kind === 'arriving') {
        const { bytes } = await source.arriving.read(true)
        const { first } = source
        return first.length === 0 ? bytes : concat([first, bytes], first.length + bytes.length)
      }
      return readStream(source.stream)
    }
    #isUnusable(): boolean {
      const source = this.#source
      return this.bodyUsed || (source?.kind === 'stream' && source.stream.locked)
    }
    #stream(source: Source): ReadableStream<Uint8Array> {
      if (source.kind === 'stream') return source.stream
      const stream = this.#used
        ? spentStream()
        : source.kind === 'bytes'
          ? streamOfBytes(source.bytes)
          : streamOfArriving(source.arriving, source.first)
      this.#source = { kind: 'stream', stream }
      return stream
    }
  }

  /** What a copy of this body is made of. */
  const cloned = (body: Body): Source | null => {
    if (isUnusable(body)) throw unusable()
    const source = sourceOf(body)
    if (source === null || source.kind === 'bytes') return source
    const [mine, others] = streamOf(body).tee()
    replaceSource(body, { kind: 'stream', stream: mine })
    return { kind: 'stream', stream: others }
  }
  /** What a body is made of, for another that takes its place: this one is used then. */
  const moved = (body: Body): Source | null => {
    if (isUnusable(body)) throw unusable()
    const source = sourceOf(body)
    if (source === null) return null
    if (source.kind !== 'stream') {
      markUsed(body)
      return source
    }
    const { TransformStream } = kit.need('streams')
    const identity = new TransformStream<Uint8Array, Uint8Array>()
    const stream = source.stream.pipeThrough(identity)
    markUsed(body)
    return { kind: 'stream', stream }
  }

  const take = (body: Body) => {
    const source = sourceOf(body)
    if (source === null) return undefined
    if (isUnusable(body)) throw unusable()
    if (source.kind !== 'bytes') return streamOf(body)
    markUsed(body)
    return source.bytes
  }

  return { Body, extract, cloned, moved, take, checked } as unknown as PartExports['body']
}
