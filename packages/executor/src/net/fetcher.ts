import type { Agent, BodyInit, Response } from 'undici'
import type { CallRequest } from '../call/call.js'
import type { BodyChunk, FetchResponse } from '../guest/web/fetch/fetch-messages.js'
import {
  AddressRefused,
  checkedLookup,
  isPublicAddress,
  literalAddress,
  type ResolveHost,
} from './address-policy.js'
import { type CheckedRequest, checkRequest, checkUrl } from './fetch-request.js'
import { type HeldBytes, IncomingBody, limitError } from './incoming-body.js'
import { type NetGrant, netGrant, netToken } from './net-capability.js'
import { OutgoingBody } from './outgoing-body.js'

/** The Fetch standard's own limit. */
const MAX_REDIRECTS = 20
const REDIRECTS = [301, 302, 303, 307, 308]
/** Headers that were meant for the first host, and no other. */
const CREDENTIALS = ['authorization', 'cookie']

type Undici = typeof import('undici')

/** The fetches of one call that is under way. */
interface CallFetches extends HeldBytes {
  count: number
  /** Those whose answer has not come completely, by the id that the guest gave them. */
  readonly open: Map<number, Exchange>
}

/** A request, and the answer that comes in. */
interface Exchange {
  readonly controller: AbortController
  /** What the answer came from, and its body; once its head is there. */
  arrived: { url: URL; body: IncomingBody } | undefined
  /** The body of the request, where it comes in parts. */
  sent: OutgoingBody | undefined
}

/**
 * Fetches for guests, on the host's thread: a sandbox thread may be ended at any moment, and its
 * neighbours' answers must not be lost with it. Each hop is checked against the capabilities of the
 * call, and each connection goes to an address that was checked.
 */
export class Fetcher {
  readonly #resolveHost: ResolveHost
  readonly #calls = new Map<number, CallFetches>()
  #undici: Promise<Undici> | undefined
  #agents: Record<NetGrant, Agent> | undefined

  constructor(resolveHost: ResolveHost) {
    this.#resolveHost = resolveHost
  }

  /** @throws what the guest is told */
  async fetch(call: CallRequest, id: number, asked: unknown): Promise<FetchResponse> {
    const { maxFetches, maxRequestBytes } = call.limits
    const fetches = this.#fetchesOf(call.id)
    if (++fetches.count > maxFetches) {
      throw limitError(`fetch: this call has made its ${maxFetches} fetches`)
    }
    // Ids are the guest's: one used twice would leave a fetch that nothing can end.
    if (fetches.open.has(id)) throw new TypeError('fetch: wrong arguments')
    const controller = new AbortController()
    const exchange: Exchange = { controller, arrived: undefined, sent: undefined }
    fetches.open.set(id, exchange)
    return this.#ending(fetches, id, exchange, async () => {
      const request = checkRequest(asked, maxRequestBytes)
      if (request.streams) exchange.sent = new OutgoingBody(maxRequestBytes)
      const { response, url, redirected } = await this.#follow(call, request, exchange)
      const body = new IncomingBody(response, call.limits, fetches)
      exchange.arrived = { url, body }
      return describe(response, url, redirected, await body.readArrived())
    })
  }

  /**
   * What comes next of the body of an answer, or all of it.
   *
   * @throws what the guest is told
   */
  async read(call: CallRequest, id: number, all: boolean): Promise<BodyChunk> {
    const fetches = this.#fetchesOf(call.id)
    const exchange = fetches.open.get(id)
    const body = exchange?.arrived?.body
    if (!exchange || !body) throw new TypeError('fetch: there is no body to read')
    return this.#ending(fetches, id, exchange, () => body.read(all))
  }

  /**
   * The next part of the body of a request: settles when the connection has taken it.
   *
   * @throws what the guest is told
   */
  async write(
    call: CallRequest,
    id: number,
    bytes: Uint8Array,
    ended: boolean,
  ): Promise<BodyChunk> {
    const sent = this.#fetchesOf(call.id).open.get(id)?.sent
    // Who writes to a fetch that is over need not write on.
    return { bytes: NO_BYTES, ended: sent === undefined || (await sent.write(bytes, ended)) }
  }

  /** Forgets an exchange that is over: what is left of an answer that failed must not keep coming. */
  async #ending<Answer extends { ended: boolean }>(
    fetches: CallFetches,
    id: number,
    exchange: Exchange,
    receive: () => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const answer = await receive()
      if (answer.ended) this.#forget(fetches, id, exchange)
      return answer
    } catch (error) {
      exchange.controller.abort()
      this.#forget(fetches, id, exchange)
      const url = exchange.arrived?.url
      throw url && !(error instanceof RangeError) ? networkError(url, error) : error
    }
  }

  #forget({ open }: CallFetches, id: number, { sent }: Exchange): void {
    open.delete(id)
    sent?.end()
  }

  /** Ends a fetch whose answer is no longer waited for. */
  abort(callId: number, id: number): void {
    this.#calls.get(callId)?.open.get(id)?.controller.abort()
  }

  /** Ends what a call that is over has left running. */
  callOver(callId: number): void {
    const fetches = this.#calls.get(callId)
    if (!fetches) return
    this.#calls.delete(callId)
    for (const { controller, sent } of fetches.open.values()) {
      controller.abort()
      sent?.end()
    }
  }

  async close(): Promise<void> {
    for (const callId of [...this.#calls.keys()]) this.callOver(callId)
    if (this.#agents) await Promise.all(Object.values(this.#agents).map((agent) => agent.destroy()))
  }

  #fetchesOf(callId: number): CallFetches {
    let fetches = this.#calls.get(callId)
    if (!fetches) {
      fetches = { count: 0, heldBytes: 0, open: new Map() }
      this.#calls.set(callId, fetches)
    }
    return fetches
  }

  async #follow(
    call: CallRequest,
    first: CheckedRequest,
    exchange: Exchange,
  ): Promise<{ response: Response; url: URL; redirected: boolean }> {
    let request = first
    for (let hops = 0; ; hops++) {
      const response = await this.#send(call, request, exchange)
      const location = REDIRECTS.includes(response.status) && response.headers.get('location')
      if (!location || request.redirect === 'manual') {
        return { response, url: request.url, redirected: hops > 0 }
      }
      await response.body?.cancel()
      if (request.redirect === 'error') throw new TypeError('fetch: the server redirects')
      if (hops === MAX_REDIRECTS) throw new TypeError(`fetch: more than ${MAX_REDIRECTS} redirects`)
      if (request.streams && keepsBody(request, response.status)) {
        throw new TypeError(
          'fetch: the server redirects, and a body that is a stream cannot be sent again',
        )
      }
      request = redirected(request, response.status, checkUrl(location, request.url))
    }
  }

  async #send(
    { capabilities }: CallRequest,
    { url, method, headers, body, streams }: CheckedRequest,
    { controller: { signal }, sent }: Exchange,
  ): Promise<Response> {
    const grant = netGrant(capabilities, url)
    if (!grant) {
      throw new AddressRefused(
        `Fetching ${url.origin} is not allowed; grant it with the capability ${netToken(url)}`,
      )
    }
    // Sockets look up names, not addresses.
    const literal = literalAddress(url)
    if (grant === 'public' && literal !== undefined && !isPublicAddress(literal)) {
      throw new AddressRefused(
        `${literal} is not a public address; grant it with the capability ${netToken(url)}`,
      )
    }
    this.#undici ??= import('undici')
    const undici = await this.#undici
    this.#agents ??= this.#openAgents(undici)
    const dispatcher = this.#agents[grant]
    try {
      return await undici.fetch(url, {
        method,
        headers: [...headers],
        ...(body && { body }),
        ...(streams &&
          sent && { body: sent.stream as unknown as BodyInit, duplex: 'half' as const }),
        redirect: 'manual',
        signal,
        dispatcher,
      })
    } catch (error) {
      throw networkError(url, error)
    }
  }

  /**
   * Two sets of connections: one opened for a call whose capability names a private host must not
   * serve another whose capability only covers public ones.
   */
  #openAgents({ Agent }: Undici): Record<NetGrant, Agent> {
    const open = (isAllowed: (address: string) => boolean) =>
      new Agent({ connect: { lookup: checkedLookup(this.#resolveHost, isAllowed) } })
    return { named: open(() => true), public: open(isPublicAddress) }
  }
}

function redirected(request: CheckedRequest, status: number, url: URL): CheckedRequest {
  const headers = new Headers(request.headers)
  const becomesGet = !keepsBody(request, status)
  if (becomesGet) for (const name of [...headers.keys()].filter(describesBody)) headers.delete(name)
  if (url.origin !== request.url.origin) for (const name of CREDENTIALS) headers.delete(name)
  return becomesGet
    ? { ...request, url, headers, method: 'GET', body: undefined, streams: false }
    : { ...request, url, headers }
}

/** Whether a redirect asks for the same request, and not for a GET. */
function keepsBody({ method }: CheckedRequest, status: number): boolean {
  if (status === 303) return method === 'GET' || method === 'HEAD'
  return !((status === 301 || status === 302) && method === 'POST')
}

function describesBody(header: string): boolean {
  return header.startsWith('content-')
}

function describe(
  response: Response,
  { href }: URL,
  redirected: boolean,
  { bytes, ended }: BodyChunk,
): FetchResponse {
  const headers: [string, string][] = [...response.headers]
  const isDecoded = response.headers.has('content-encoding')
  return {
    url: href,
    status: response.status,
    statusText: response.statusText,
    redirected,
    // They would describe bytes that the guest never sees.
    headers: isDecoded ? headers.filter(([name]) => !TRANSFER.includes(name)) : headers,
    body: bytes,
    ended,
  }
}

const NO_BYTES = new Uint8Array()
const TRANSFER = ['content-encoding', 'content-length']

/** What a guest may know of a connection that failed: the system's code, and no address or path. */
function networkError({ origin }: URL, error: unknown): Error {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AddressRefused) return at
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string' && /^[A-Z_]+$/.test(code)) {
      return Object.assign(new TypeError(`fetch: no answer from ${origin} (${code})`), { code })
    }
  }
  return new TypeError(`fetch: no answer from ${origin}`)
}
