import type { GuestKit } from './kit.js'

/**
 * Installs Request, Response and fetch in the guest. Bodies are whole: there are no streams.
 *
 * The guest gets the source of this function: it may use nothing but its argument and globals.
 */
export function installFetch(kit: GuestKit): void {
  const { Headers, URL, URLSearchParams, TextEncoder, TextDecoder, AbortSignal, AbortController } =
    globalThis
  const { parse, stringify } = JSON
  const encoder = new TextEncoder()
  const NULL_BODY_STATUSES = [101, 204, 205, 304]
  const REDIRECT_STATUSES = [301, 302, 303, 307, 308]
  const INTERNAL = Symbol()

  interface Content {
    bytes: Uint8Array | null
    type: string | undefined
  }

  const contentOf = (body: unknown): Content => {
    if (body === null || body === undefined) return { bytes: null, type: undefined }
    if (body instanceof URLSearchParams) {
      return {
        bytes: encoder.encode(body.toString()),
        type: 'application/x-www-form-urlencoded;charset=UTF-8',
      }
    }
    if (body instanceof ArrayBuffer)
      return { bytes: new Uint8Array(body.slice(0)), type: undefined }
    if (ArrayBuffer.isView(body)) {
      const view = new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
      return { bytes: view.slice(), type: undefined }
    }
    if (typeof body === 'object' || typeof body === 'function' || typeof body === 'symbol') {
      throw new TypeError(
        'A body is text, bytes or URLSearchParams; for JSON pass JSON.stringify(value)',
      )
    }
    return { bytes: encoder.encode(String(body)), type: 'text/plain;charset=UTF-8' }
  }

  /** The bytes, for a copy of this body. */
  let peek: (body: Body) => Uint8Array | null
  /** The bytes; they cannot be read again after this. */
  let take: (body: Body) => Uint8Array | null
  class Body {
    readonly headers: Headers
    #bytes: Uint8Array | null
    #used = false

    static {
      peek = (body) => {
        if (body.#used) throw new TypeError('The body was read already')
        return body.#bytes
      }
      take = (body) => {
        const bytes = peek(body)
        if (bytes !== null) body.#used = true
        return bytes
      }
    }

    constructor({ bytes, type }: Content, headers: HeadersInit | undefined) {
      this.#bytes = bytes
      this.headers = new Headers(headers)
      if (type !== undefined && !this.headers.has('content-type')) {
        this.headers.set('content-type', type)
      }
    }
    get bodyUsed() {
      return this.#used
    }
    async arrayBuffer() {
      return this.#take().slice().buffer
    }
    async bytes() {
      return this.#take().slice()
    }
    async text() {
      return new TextDecoder().decode(this.#take())
    }
    async json() {
      return parse(new TextDecoder().decode(this.#take()))
    }
    #take(): Uint8Array {
      return take(this) ?? new Uint8Array(0)
    }
  }

  const methodOf = (method: unknown): string => {
    const name = String(method)
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
      throw new TypeError(`${name} is not an HTTP method`)
    }
    const upper = name.toUpperCase()
    if (['CONNECT', 'TRACE', 'TRACK'].includes(upper)) {
      throw new TypeError(`The method ${upper} is forbidden`)
    }
    return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : name
  }
  const urlOf = (input: unknown): string => {
    let url: URL
    try {
      url = new URL(String(input))
    } catch (cause) {
      throw new TypeError(`${String(input)} is not an absolute URL`, { cause })
    }
    if (url.username !== '' || url.password !== '') {
      throw new TypeError('A URL with a user name or a password is refused: use a header')
    }
    return url.href
  }

  class Request extends Body {
    readonly url: string
    readonly method: string
    readonly redirect: RequestRedirect
    readonly signal: AbortSignal

    constructor(input: unknown, init: RequestInit = {}) {
      const from = input instanceof Request ? input : undefined
      const method = init.method === undefined ? (from?.method ?? 'GET') : methodOf(init.method)
      const content =
        init.body === undefined && from
          ? { bytes: take(from), type: undefined }
          : contentOf(init.body)
      if (content.bytes !== null && (method === 'GET' || method === 'HEAD')) {
        throw new TypeError(`A ${method} request has no body`)
      }
      super(content, init.headers ?? from?.headers)
      this.url = from?.url ?? urlOf(input)
      this.method = method
      this.redirect = init.redirect ?? from?.redirect ?? 'follow'
      if (!['follow', 'error', 'manual'].includes(this.redirect)) {
        throw new TypeError(`redirect: expected follow, error or manual, got ${this.redirect}`)
      }
      const signal = init.signal === undefined ? from?.signal : init.signal
      if (signal !== null && signal !== undefined && !(signal instanceof AbortSignal)) {
        throw new TypeError('signal: expected an AbortSignal')
      }
      this.signal = signal ?? new AbortController().signal
    }
    clone() {
      const { url, method, headers, redirect, signal } = this
      return new Request(url, {
        method,
        headers,
        redirect,
        signal,
        body: peek(this) as BodyInit | null,
      })
    }
  }

  interface Arrived {
    url: string
    redirected: boolean
  }

  class Response extends Body {
    readonly status: number
    readonly statusText: string
    readonly url: string
    readonly redirected: boolean
    readonly type: ResponseType = 'default'

    constructor(
      body?: unknown,
      { status = 200, statusText = '', headers }: ResponseInit = {},
      internal?: symbol,
      arrived?: Arrived,
    ) {
      const content = contentOf(body)
      const isArrived = internal === INTERNAL
      if (!isArrived && !(status >= 200 && status <= 599)) {
        throw new RangeError(`status: expected 200 to 599, got ${status}`)
      }
      if (content.bytes !== null && NULL_BODY_STATUSES.includes(status)) {
        throw new TypeError(`A response with status ${status} has no body`)
      }
      super(content, headers)
      this.status = status
      this.statusText = String(statusText)
      const { url, redirected } = isArrived && arrived ? arrived : { url: '', redirected: false }
      this.url = url
      this.redirected = redirected
    }
    get ok() {
      return this.status >= 200 && this.status <= 299
    }
    clone() {
      const { status, statusText, headers } = this
      return new Response(peek(this), { status, statusText, headers }, INTERNAL, this)
    }
    static json(value: unknown, init: ResponseInit = {}) {
      const text = stringify(value)
      if (text === undefined) throw new TypeError('The value cannot be turned into JSON')
      const response = new Response(encoder.encode(text), init)
      if (!response.headers.has('content-type')) {
        response.headers.set('content-type', 'application/json')
      }
      return response
    }
    static redirect(url: string, status = 302) {
      if (!REDIRECT_STATUSES.includes(status)) {
        throw new RangeError(`status: expected one of ${REDIRECT_STATUSES}, got ${status}`)
      }
      return new Response(null, { status, headers: { location: new URL(String(url)).href } })
    }
  }

  async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    const { url, method, redirect, signal } = request
    signal.throwIfAborted()
    const sent: [name: string, value: string][] = []
    request.headers.forEach((value, name) => {
      sent.push([name, value])
    })
    const { status, statusText, headers, body, ...arrived } = await kit.fetch(
      {
        url,
        method,
        redirect,
        headers: sent,
        body: take(request) ?? undefined,
      },
      signal,
    )
    const content = NULL_BODY_STATUSES.includes(status) ? null : body
    return new Response(content, { status, statusText, headers }, INTERNAL, arrived)
  }

  for (const [name, api] of Object.entries({ Request, Response, fetch })) {
    Object.defineProperty(globalThis, name, { value: api, writable: true, configurable: true })
    // A bundler may have renamed it.
    Object.defineProperty(api, 'name', { value: name, configurable: true })
    if (api !== fetch) {
      Object.defineProperty(api.prototype, Symbol.toStringTag, { value: name, configurable: true })
    }
  }
}
