import type { Agent, Response } from 'undici'
import type { CallLimits, CallRequest } from '../call/call.js'
import type { FetchResponse } from '../guest/web/kit.js'
import {
  AddressRefused,
  checkedLookup,
  isPublicAddress,
  literalAddress,
  type ResolveHost,
} from './address-policy.js'
import { type CheckedRequest, checkRequest, checkUrl } from './fetch-request.js'
import { type NetGrant, netGrant, netToken } from './net-capability.js'

/** The Fetch standard's own limit. */
const MAX_REDIRECTS = 20
const REDIRECTS = [301, 302, 303, 307, 308]
/** Headers that were meant for the first host, and no other. */
const CREDENTIALS = ['authorization', 'cookie']

type Undici = typeof import('undici')

/** The fetches of one call that is under way. */
interface CallFetches {
  count: number
  /** Bytes of the bodies that are coming in. */
  heldBytes: number
  readonly pending: Map<number, AbortController>
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
    if (fetches.pending.has(id)) throw new TypeError('fetch: wrong arguments')
    const controller = new AbortController()
    fetches.pending.set(id, controller)
    try {
      return await this.#follow(call, fetches, checkRequest(asked, maxRequestBytes), controller)
    } catch (error) {
      // What is left of the answer must not keep coming.
      controller.abort()
      throw error
    } finally {
      fetches.pending.delete(id)
    }
  }

  /** Ends a fetch whose answer is no longer waited for. */
  abort(callId: number, id: number): void {
    this.#calls.get(callId)?.pending.get(id)?.abort()
  }

  /** Ends what a call that is over has left running. */
  callOver(callId: number): void {
    const fetches = this.#calls.get(callId)
    if (!fetches) return
    this.#calls.delete(callId)
    for (const controller of fetches.pending.values()) controller.abort()
  }

  async close(): Promise<void> {
    for (const callId of [...this.#calls.keys()]) this.callOver(callId)
    if (this.#agents) await Promise.all(Object.values(this.#agents).map((agent) => agent.destroy()))
  }

  #fetchesOf(callId: number): CallFetches {
    let fetches = this.#calls.get(callId)
    if (!fetches) {
      fetches = { count: 0, heldBytes: 0, pending: new Map() }
      this.#calls.set(callId, fetches)
    }
    return fetches
  }

  async #follow(
    call: CallRequest,
    fetches: CallFetches,
    first: CheckedRequest,
    controller: AbortController,
  ): Promise<FetchResponse> {
    let request = first
    for (let hops = 0; ; hops++) {
      const response = await this.#send(call, request, controller)
      const location = REDIRECTS.includes(response.status) && response.headers.get('location')
      if (!location || request.redirect === 'manual') {
        const body = await readBody(response, request.url, call.limits, fetches)
        return describe(response, request.url, hops > 0, body)
      }
      await response.body?.cancel()
      if (request.redirect === 'error') throw new TypeError('fetch: the server redirects')
      if (hops === MAX_REDIRECTS) throw new TypeError(`fetch: more than ${MAX_REDIRECTS} redirects`)
      request = redirected(request, response.status, checkUrl(location, request.url))
    }
  }

  async #send(
    { capabilities }: CallRequest,
    { url, method, headers, body }: CheckedRequest,
    { signal }: AbortController,
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
  const { method } = request
  const becomesGet =
    (status === 303 && method !== 'GET' && method !== 'HEAD') ||
    ((status === 301 || status === 302) && method === 'POST')
  if (becomesGet) for (const name of [...headers.keys()].filter(describesBody)) headers.delete(name)
  if (url.origin !== request.url.origin) for (const name of CREDENTIALS) headers.delete(name)
  return becomesGet
    ? { ...request, url, headers, method: 'GET', body: undefined }
    : { ...request, url, headers }
}

function describesBody(header: string): boolean {
  return header.startsWith('content-')
}

/** Counts what the decoder gives, so that a small answer that unpacks to a huge one is stopped. */
async function readBody(
  response: Response,
  url: URL,
  { maxResponseBytes, memoryLimitBytes }: CallLimits,
  fetches: CallFetches,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.byteLength
      fetches.heldBytes += chunk.byteLength
      if (length > maxResponseBytes) {
        throw limitError(
          `fetch: the response is larger than its limit of ${maxResponseBytes} bytes`,
        )
      }
      // What waits on the host is memory that the guest takes, wherever it is.
      if (fetches.heldBytes > memoryLimitBytes) {
        throw limitError('fetch: the responses that come at once are more than the memory limit')
      }
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof RangeError ? error : networkError(url, error)
  } finally {
    fetches.heldBytes -= length
  }
  // Memory of its own: a slice of a shared pool would cross to the thread with all that lies beside it.
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}

function describe(
  response: Response,
  { href }: URL,
  redirected: boolean,
  body: Uint8Array,
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
    body,
  }
}

const TRANSFER = ['content-encoding', 'content-length']

function limitError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'RESOURCE_LIMIT' })
}

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
