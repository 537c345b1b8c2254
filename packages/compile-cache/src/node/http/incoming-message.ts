import Stream from 'readable-stream/lib/stream.js'
import { Buffer } from '../bytes/buffer-class.js'
import { nextTick } from '../process/next-tick.js'
import { hungUp } from './connection-error.js'

/** Of these the first counts; of the others all, with a comma between them. */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

const toBuffer = Buffer.from as (buffer: ArrayBufferLike, from: number, length: number) => unknown
const { Readable } = Stream

/** An answer, whose body is read as it arrives. */
export class IncomingMessage extends Readable {
  aborted = false
  complete = false
  readonly httpVersion = '1.1'
  readonly httpVersionMajor = 1
  readonly httpVersionMinor = 1
  readonly trailers = {}
  readonly trailersDistinct = {}
  readonly rawTrailers: string[] = []
  readonly rawHeaders: string[] = []
  readonly headers: Record<string, string | string[]> = {}
  readonly headersDistinct: Record<string, string[]> = Object.create(null)
  statusCode: number | null = null
  statusMessage: string | null = null
  readonly url = ''
  readonly method = null
  // biome-ignore lint/suspicious/noExplicitAny: whatever the program handed over
  socket: any
  // biome-ignore lint/suspicious/noExplicitAny: the ClientRequest
  req: any
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #onBytes: () => void = () => {}

  constructor(socket?: unknown) {
    super()
    this.socket = socket
  }
  get connection() {
    return this.socket
  }

  /**
   * Takes the answer of a fetch.
   *
   * @param onBytes called when something has arrived
   */
  receive(response: Response, onBytes: () => void): void {
    this.statusCode = response.status
    this.statusMessage = response.statusText
    response.headers.forEach((value, name) => {
      this.#add(name, value)
    })
    this.#reader = response.body?.getReader()
    this.#onBytes = onBytes
  }
  setTimeout(delayMs: number, callback?: () => void): this {
    if (callback) this.on('timeout', callback)
    this.req?.setTimeout(delayMs, () => this.emit('timeout'))
    return this
  }
  /** Reads the rest and drops it. */
  _dump(): void {
    this.resume()
  }
  override _read(): void {
    const reader = this.#reader
    if (!reader) {
      this.complete = true
      this.push(null)
      return
    }
    reader.read().then(
      ({ done, value }) => {
        this.#onBytes()
        if (done) this.complete = true
        this.push(done ? null : toBuffer(value.buffer, value.byteOffset, value.byteLength))
      },
      (error) => this.destroy(hungUp('aborted', error)),
    )
  }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true
      this.emit('aborted')
      this.req?.destroy()
    }
    // A message without a listener for errors emits none, as in Node.
    nextTick(() => done(this.listenerCount('error') > 0 ? error : null))
  }
  #add(name: string, value: string): void {
    const { headers, headersDistinct, rawHeaders } = this
    rawHeaders.push(name, value)
    headersDistinct[name] ??= []
    headersDistinct[name].push(value)
    const known = headers[name]
    if (name === 'set-cookie') headers[name] = [...((known as string[]) ?? []), value]
    else if (known === undefined) headers[name] = value
    else if (!SINGLE.has(name)) headers[name] = `${known}${name === 'cookie' ? '; ' : ', '}${value}`
  }
}
