import { Buffer } from '../bytes/buffer-class.js'
import { abortError } from '../events/abort-error.js'
import { assertNumber, nodeError } from '../node-error.js'
import { nextTick } from '../process/next-tick.js'
import { type Agent, globalAgent } from './agent.js'
import { connectionError, hungUp } from './connection-error.js'
import { IncomingMessage } from './incoming-message.js'
import { notHere } from './not-here.js'
import { OutgoingMessage } from './outgoing-message.js'
import { readArguments, type Target, targetOf } from './request-options.js'
import { RequestSocket } from './request-socket.js'

const concat = Buffer.concat as (chunks: Uint8Array[]) => Uint8Array<ArrayBuffer>
type Done = (error?: Error | null) => void

/** A request. It leaves when it is ended: its body is gathered. */
export class ClientRequest extends OutgoingMessage {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly protocol: string
  readonly agent: Agent | undefined
  readonly reusedSocket = false
  readonly maxHeadersCount = null
  aborted = false
  res: IncomingMessage | null = null
  readonly socket: RequestSocket
  timeout: number | undefined
  readonly #target: Target
  readonly #chunks: Uint8Array[] = []
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isConnected = false
  #isOver = false

  constructor(args: unknown[], defaultAgent: Agent = globalAgent) {
    super()
    const [options, callback] = readArguments(args)
    const target = targetOf(options, defaultAgent)
    this.#target = target
    this.method = target.method
    this.path = target.path
    this.host = target.hostname
    this.protocol = target.protocol
    this.agent = target.agent
    for (const [name, value] of target.headers) {
      if (this.hasHeader(name)) this.appendHeader(name, value as string)
      else this.setHeader(name, value)
    }
    this.socket = new RequestSocket(this, target.protocol === 'https:')
    if (callback) this.once('response', callback)
    if (target.signal) this.#abortWith(target.signal)
    if (target.timeoutMs !== undefined) this.setTimeout(target.timeoutMs)
    nextTick(() => {
      this.#isConnected = true
      if (!this.destroyed) this.emit('socket', this.socket)
    })
  }
  get connection(): RequestSocket {
    return this.socket
  }
  setTimeout(delayMs: number, callback?: () => void): this {
    assertNumber(delayMs, 'msecs', 0)
    if (callback) this.once('timeout', callback)
    this.timeout = delayMs
    this.#restartTimer()
    return this
  }
  setNoDelay(): void {}
  setSocketKeepAlive(): void {}
  /** Who waits to be told to send the body is told at once: the host sends it whole. */
  flushHeaders(): void {
    if (this.headersSent) return
    this.headersSent = true
    if (String(this.getHeader('expect')).toLowerCase() === '100-continue') {
      nextTick(() => this.emit('continue'))
    }
  }
  abort(): void {
    if (this.aborted) return
    this.aborted = true
    const emit = () => nextTick(() => this.emit('abort'))
    if (this.#isConnected) emit()
    this.destroy()
    if (!this.#isConnected) emit()
  }
  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.flushHeaders()
    this.#chunks.push(chunk)
    done()
  }
  override _final(done: Done): void {
    this.flushHeaders()
    this.#restartTimer()
    this.#send().then(
      (response) => this.#answered(response),
      (error) => this.#failed(error),
    )
    done()
  }
  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#timer)
    this.socket.destroyed = true
    nextTick(() => this.socket.emit('close', false))
    if (this.#isOver) {
      done(error)
      return
    }
    this.#isOver = true
    this.#controller.abort()
    if (this.res) this.res.destroy(error ?? hungUp('aborted'))
    const isExpected = this.res || (this.aborted && !this.#isConnected)
    done(error ?? (isExpected ? null : hungUp('socket hang up')))
  }
  #abortWith(signal: AbortSignal): void {
    const abort = () => {
      this.destroy(abortError(signal))
    }
    if (signal.aborted) nextTick(abort)
    else {
      signal.addEventListener('abort', abort, { once: true })
      this.once('close', () => signal.removeEventListener('abort', abort))
    }
  }
  async #send(): Promise<Response> {
    const { method, protocol, hostname, port, path } = this.#target
    const hasBody = this.#chunks.some(({ length }) => length > 0)
    if (hasBody && (method === 'GET' || method === 'HEAD')) {
      throw notHere(`A ${method} request with a body`)
    }
    const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
    const href = `${protocol}//${host}:${port}${path}`
    if (!URL.canParse(href)) {
      throw nodeError(Error, 'ENOTFOUND', `getaddrinfo ENOTFOUND ${hostname}`, {
        syscall: 'getaddrinfo',
        hostname,
      })
    }
    const headers: [string, string][] = []
    for (const name of this.getRawHeaderNames()) {
      for (const value of [this.getHeader(name)].flat()) headers.push([name, String(value)])
    }
    return fetch(href, {
      method,
      headers,
      redirect: 'manual',
      signal: this.#controller.signal,
      ...(hasBody && { body: concat(this.#chunks) }),
    })
  }
  #answered(response: Response): void {
    if (this.destroyed) return
    this.#restartTimer()
    const answer = new IncomingMessage(this.socket)
    this.res = answer
    answer.req = this
    answer.receive(response, () => this.#restartTimer())
    answer.once('end', () => {
      this.#isOver = true
      this.destroy()
    })
    if (!this.emit('response', answer)) answer._dump()
  }
  #failed(error: unknown): void {
    const { hostname, port } = this.#target
    if (!this.destroyed) this.destroy(connectionError(error, hostname, port) as Error)
  }
  /** Counts from the last sign of life. */
  #restartTimer(): void {
    clearTimeout(this.#timer)
    if (!this.timeout || this.destroyed || this.#isOver) return
    this.#timer = setTimeout(() => {
      this.socket.emit('timeout')
      this.emit('timeout')
    }, this.timeout)
  }
}
