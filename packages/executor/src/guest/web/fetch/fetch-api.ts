import type { BodySource, GuestKit, PartExports, WriteBody } from '../../platform/kit.js'
import type { FetchRequest } from './fetch-messages.js'
import type { IncomingRequest, ResponsePart } from './served-request.js'

/** Installs Request, Response and fetch in the guest. */
export function installFetch(kit: GuestKit): PartExports['fetch'] {
  const { Headers, makeImmutable } = kit.need('headers')
  const { URL } = kit.need('url')
  const { AbortSignal, AbortController } = kit.need('events')
  const { Body, extract, cloned, moved, take, checked } = kit.need('body')
  const { concat } = kit.need('bytes')
  const { stringify } = JSON
  const { fromBase64 } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array }
  const NULL_BODY_STATUSES = [101, 103, 204, 205, 304]
  const REDIRECT_STATUSES = [301, 302, 303, 307, 308]
  const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/
  /** What only this part may hand to a constructor. */
  const INTERNAL = Symbol()

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
  const locationOf = (url: unknown): string => {
    try {
      return new URL(`${url}`).href
    } catch (cause) {
      throw new TypeError(`Failed to parse URL from ${String(url)}`, { cause })
    }
  }
  const oneOf = (name: string, value: unknown, allowed: readonly string[]): string => {
    const text = String(value)
    if (allowed.includes(text)) return text
    throw new TypeError(`${name}: expected ${allowed.join(', ')}, got ${text}`)
  }
  const headersOf = (init: HeadersInit | undefined, type: string | undefined): Headers => {
    const headers = new Headers(init)
    if (type !== undefined && !headers.has('content-type')) headers.set('content-type', type)
    return headers
  }
  const initOf = <Init>(init: Init | null | undefined, what: string): Init => {
    if (init === undefined || init === null) return {} as Init
    if (typeof init === 'object' || typeof init === 'function') return init
    throw new TypeError(`${what}: expected an object as its options, got ${typeof init}`)
  }

  class Request extends Body {
    readonly #url: string
    readonly #method: string
    readonly #headers: Headers
    readonly #redirect: RequestRedirect
    readonly #signal: AbortSignal
    readonly #options: Record<
      'mode' | 'credentials' | 'cache' | 'integrity' | 'referrer' | 'referrerPolicy',
      string
    >
    readonly #keepalive: boolean

    constructor(
      input: unknown,
      ...args: [options?: RequestInit, internal?: symbol, copied?: BodySource | null]
    ) {
      const [options, internal, copied = null] = args
      if (input === undefined) throw new TypeError('Request: expected a URL or a Request')
      const init = initOf(options, 'Request')
      const from = input instanceof Request ? input : undefined
      const url = from?.url ?? urlOf(input)
      const method = init.method === undefined ? (from?.method ?? 'GET') : methodOf(init.method)
      const hasBody = init.body !== undefined && init.body !== null
      if (hasBody && (method === 'GET' || method === 'HEAD')) {
        throw new TypeError(`A ${method} request has no body`)
      }
      const content: { source: BodySource | null; type?: string } = hasBody
        ? extract(init.body)
        : { source: null }
      const { duplex } = init as { duplex?: string }
      if (content.source?.kind === 'stream' && duplex !== 'half') {
        throw new TypeError("Request: a body that is a stream needs the option duplex: 'half'")
      }
      if (internal === INTERNAL) content.source = copied
      else if (from && init.body === undefined) content.source = moved(from)
      if (content.source !== null && (method === 'GET' || method === 'HEAD')) {
        throw new TypeError(`A ${method} request has no body`)
      }
      super(content.source)
      this.#url = url
      this.#method = method
      this.#headers = headersOf(init.headers ?? from?.headers, content.type)
      const redirect = init.redirect ?? from?.redirect ?? 'follow'
      this.#redirect = oneOf('redirect', redirect, ['follow', 'error', 'manual']) as RequestRedirect
      const signal = init.signal === undefined ? from?.signal : init.signal
      if (signal !== null && signal !== undefined && !(signal instanceof AbortSignal)) {
        throw new TypeError('signal: expected an AbortSignal')
      }
      this.#signal = signal ?? new AbortController().signal
      const inherited = from ?? { mode: 'cors', credentials: 'same-origin', cache: 'default' }
      this.#options = {
        mode: String(init.mode ?? inherited.mode),
        credentials: String(init.credentials ?? inherited.credentials),
        cache: String(init.cache ?? inherited.cache),
        integrity: String(init.integrity ?? from?.integrity ?? ''),
        referrer: String(init.referrer ?? from?.referrer ?? 'about:client'),
        referrerPolicy: String(init.referrerPolicy ?? from?.referrerPolicy ?? ''),
      }
      this.#keepalive = Boolean(init.keepalive ?? from?.keepalive)
    }
    get url() {
      return this.#url
    }
    get method() {
      return this.#method
    }
    get headers() {
      return this.#headers
    }
    get redirect() {
      return this.#redirect
    }
    get signal() {
      return this.#signal
    }
    get destination() {
      return this.#fixed('')
    }
    get duplex() {
      return this.#fixed('half')
    }
    get isHistoryNavigation() {
      return this.#fixed(false)
    }
    get isReloadNavigation() {
      return this.#fixed(false)
    }
    /** What every request has, and no other object. */
    #fixed<T>(value: T): T {
      return value
    }
    get mode() {
      return this.#options.mode
    }
    get credentials() {
      return this.#options.credentials
    }
    get cache() {
      return this.#options.cache
    }
    get integrity() {
      return this.#options.integrity
    }
    get referrer() {
      return this.#options.referrer
    }
    get referrerPolicy() {
      return this.#options.referrerPolicy
    }
    get keepalive() {
      return this.#keepalive
    }
    clone(): Request {
      return new Request(this, undefined, INTERNAL, cloned(this))
    }
  }

  interface Arrived {
    url: string
    redirected: boolean
    type: ResponseType
  }
  const MADE_HERE: Arrived = { url: '', redirected: false, type: 'default' }

  class Response extends Body {
    readonly #status: number
    readonly #statusText: string
    readonly #headers: Headers
    readonly #arrived: Arrived

    constructor(
      ...args: [body?: unknown, options?: ResponseInit, internal?: symbol, arrived?: Arrived]
    ) {
      const [body, options, internal, arrived = MADE_HERE] = args
      const isInternal = internal === INTERNAL
      const { status = 200, statusText = '', headers } = initOf(options, 'Response')
      const code = isInternal ? status : Math.trunc(Number(status)) & 0xffff
      if (!isInternal && !(code >= 200 && code <= 599)) {
        throw new RangeError(`status: expected 200 to 599, got ${status}`)
      }
      const phrase = String(statusText)
      if (!isInternal && !REASON_PHRASE.test(phrase)) {
        throw new TypeError('statusText: expected the text of a status line')
      }
      const content = isInternal
        ? { source: body as BodySource | null, type: undefined }
        : extract(body)
      if (content.source !== null && NULL_BODY_STATUSES.includes(code)) {
        throw new TypeError(`A response with status ${code} has no body`)
      }
      super(content.source)
      this.#status = code
      this.#statusText = phrase
      this.#headers = headersOf(headers, content.type)
      this.#arrived = isInternal ? arrived : MADE_HERE
      if (this.#arrived !== MADE_HERE) makeImmutable(this.#headers)
    }
    get status() {
      return this.#status
    }
    get statusText() {
      return this.#statusText
    }
    get headers() {
      return this.#headers
    }
    get ok() {
      return this.#status >= 200 && this.#status <= 299
    }
    get url() {
      return this.#arrived.url
    }
    get redirected() {
      return this.#arrived.redirected
    }
    get type() {
      return this.#arrived.type
    }
    clone() {
      const source = cloned(this)
      return new Response(source, this, INTERNAL, this.#arrived)
    }
    static error() {
      return new Response(null, { status: 0 }, INTERNAL, { ...MADE_HERE, type: 'error' })
    }
    static json(value: unknown, init?: ResponseInit) {
      const text = stringify(value)
      if (text === undefined) throw new TypeError('The value cannot be turned into JSON')
      const { headers, ...others } = initOf(init, 'Response.json')
      return new Response(text, { ...others, headers: headersOf(headers, 'application/json') })
    }
    static redirect(url: string, status = 302) {
      const location = locationOf(url)
      if (!REDIRECT_STATUSES.includes(status)) {
        throw new RangeError(`status: expected one of ${REDIRECT_STATUSES}, got ${status}`)
      }
      return new Response(null, { status, headers: { location } }, INTERNAL, { ...MADE_HERE })
    }
  }

  /** What is sent at once of a response that is at hand. */
  const SENT_AT_ONCE = 262_144
  /** What is sent at once at most, but for a single larger piece of a stream. */
  const PART_BYTES = 65_536

  /** Sends a stream in parts: what comes while the part before is on its way goes with the next. */
  const upload = async (stream: ReadableStream<Uint8Array>, write: WriteBody, fail: Fail) => {
    const reader = stream.getReader()
    let chunks: Uint8Array[] = []
    let length = 0
    let ended = false
    let isWanted = true
    let sending: Promise<void> | undefined
    const send = async () => {
      while (isWanted && (length > 0 || ended)) {
        const isLast = ended
        const bytes = concat(chunks, length)
        chunks = []
        length = 0
        const answer = await write(bytes, isLast)
        isWanted = !isLast && !answer.ended
      }
      sending = undefined
    }
    try {
      while (isWanted && !ended) {
        const { done, value } = await reader.read()
        ended = done
        if (!done) {
          length += checked(value).length
          chunks.push(value)
        }
        sending ??= send()
        sending.catch(fail)
        if (ended || length > PART_BYTES) await sending
      }
      if (!ended) await reader.cancel()
    } catch (error) {
      fail(error)
      reader.cancel(error).catch(() => {})
    }
  }
  type Fail = (error: unknown) => void

  /** A fetch whose body is a stream: it fails with the stream. */
  const fetchWith = (
    stream: ReadableStream<Uint8Array>,
    request: FetchRequest,
    signal: AbortSignal,
  ) => {
    const controller = new AbortController()
    const abort = () => controller.abort(signal.reason)
    signal.addEventListener('abort', abort)
    const fail = (cause: unknown) => {
      const isLimit = (cause as { code?: string } | null)?.code === 'RESOURCE_LIMIT'
      controller.abort(isLimit ? cause : new TypeError('fetch failed', { cause }))
    }
    return kit.fetch(request, controller.signal, (write) => void upload(stream, write, fail))
  }

  async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    const { url, method, redirect, signal } = request
    signal.throwIfAborted()
    const sent: [name: string, value: string][] = []
    request.headers.forEach((value, name) => {
      sent.push([name, value])
    })
    const body = take(request)
    // The error of a refused fetch shows where the handler called it: there is no `await` before the host is asked.
    const asked = { url, method, redirect, headers: sent }
    const { response, arriving } =
      body === undefined || body instanceof Uint8Array
        ? await kit.fetch({ ...asked, body }, signal)
        : await fetchWith(body, { ...asked, body: undefined, streams: true }, signal)
    const { status, statusText, headers } = response
    const source = NULL_BODY_STATUSES.includes(status)
      ? null
      : response.ended
        ? ({ kind: 'bytes', bytes: response.body } as const)
        : ({ kind: 'arriving', arriving, first: response.body } as const)
    return new Response(source, { status, statusText, headers }, INTERNAL, {
      url: response.url,
      redirected: response.redirected,
      type: 'basic',
    })
  }

  const listed = (headers: Headers): [name: string, value: string][] => {
    const list: [string, string][] = []
    headers.forEach((value, name) => {
      if (name !== 'set-cookie') list.push([name, value])
    })
    for (const cookie of headers.getSetCookie()) list.push(['set-cookie', cookie])
    return list
  }

  /** Has a handler answer a request, and sends its response: what is at hand at once, a stream as it comes. */
  const serve = async (
    given: unknown,
    { method, url, headers, body, params }: IncomingRequest,
    context: object,
    respond: (part: ResponsePart) => Promise<unknown>,
  ): Promise<void> => {
    const request = new Request(url, {
      method,
      headers: headers as [string, string][],
      ...(body !== undefined && { body: fromBase64(body) as BodyInit }),
    })
    const handler = given as ServingHandler
    const api = context as { env: unknown; params: unknown }
    api.params = params ?? {}
    const answer: unknown =
      typeof handler === 'function'
        ? await handler(request as unknown as globalThis.Request, api)
        : await handler.fetch(request as unknown as globalThis.Request, api.env, api)
    if (!(answer instanceof Response)) {
      const got = answer === null ? 'null' : typeof answer
      throw new TypeError(`The handler of a request has to return a Response, got ${got}`)
    }
    const { status, statusText } = answer
    const head = { status, statusText, headers: listed(answer.headers) }
    const content = take(answer)
    if (content === undefined || content instanceof Uint8Array) {
      const bytes = content ?? new Uint8Array()
      await respond({ head, bytes: bytes.subarray(0, SENT_AT_ONCE) })
      for (let at = SENT_AT_ONCE; at < bytes.length; at += SENT_AT_ONCE) {
        await respond({ bytes: bytes.subarray(at, at + SENT_AT_ONCE) })
      }
      return
    }
    await respond({ head })
    let failure: { error: unknown } | undefined
    const write: WriteBody = async (bytes) => {
      // A client that went away wants nothing more.
      const isWanted = await respond({ bytes }).then(
        () => true,
        () => false,
      )
      return { ended: !isWanted } as Awaited<ReturnType<WriteBody>>
    }
    await upload(content, write, (error) => {
      failure ??= { error }
    })
    if (failure !== undefined) throw failure.error
  }

  kit.expose({ Request, Response, fetch })
  return { serve }
}

type ServingHandler =
  | ((request: globalThis.Request, context: object) => unknown)
  | { fetch(request: globalThis.Request, env: unknown, context: object): unknown }
