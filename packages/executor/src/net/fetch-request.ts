import { z } from 'zod'
import type { FetchRequest } from '../guest/web/fetch/fetch-messages.js'
import { hostCodec } from '../values/host-codec.js'

const schema = z.strictObject({
  url: z.string().max(16 * 1024),
  method: z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/),
  headers: z.array(z.tuple([z.string(), z.string()])).max(256),
  body: z.instanceof(Uint8Array).optional(),
  streams: z.literal(true).optional(),
  redirect: z.enum(['follow', 'error', 'manual']),
})

/**
 * Reads what a guest asks to fetch, on the sandbox's thread.
 *
 * @param encoded text of the value codec
 * @returns `undefined` when a guest that bypassed the prelude asks for something else than a fetch
 */
export function decodeRequest(encoded: string): FetchRequest | undefined {
  try {
    const parsed = schema.safeParse(hostCodec.decode(encoded))
    return parsed.data && { ...parsed.data, body: parsed.data.body }
  } catch {
    return undefined
  }
}

/** Reads a part of a body, the same way. */
export function decodePart(encoded: string): Uint8Array | undefined {
  try {
    const value = hostCodec.decode(encoded)
    return value instanceof Uint8Array ? new Uint8Array(value) : undefined
  } catch {
    return undefined
  }
}

/** A fetch that a guest asks for, checked. */
export interface CheckedRequest {
  url: URL
  method: string
  headers: Headers
  body: Uint8Array<ArrayBuffer> | undefined
  /** The body comes in parts. */
  streams: boolean
  redirect: 'follow' | 'error' | 'manual'
}

/** Headers that belong to the connection, or that say who asks whom: they are the host's. */
const FORBIDDEN = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
])

const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK']

/** @throws TypeError when a guest that bypassed the prelude asks for something else than a fetch */
export function checkRequest(value: unknown, maxRequestBytes: number): CheckedRequest {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new TypeError('fetch: wrong arguments')
  const { url: href, method, headers: given, redirect, body, streams = false } = parsed.data
  const url = checkUrl(href)
  if (FORBIDDEN_METHODS.includes(method.toUpperCase())) {
    throw new TypeError(`fetch: the method ${method} is forbidden`)
  }
  if (body !== undefined && body.byteLength > maxRequestBytes) {
    throw Object.assign(
      new RangeError(`fetch: the body is larger than its limit of ${maxRequestBytes} bytes`),
      { code: 'RESOURCE_LIMIT' },
    )
  }
  const headers = new Headers()
  for (const [name, value] of given) {
    if (!FORBIDDEN.has(name.toLowerCase())) headers.append(name, value)
  }
  return { url, method, headers, redirect, streams, body: body && new Uint8Array(body) }
}

/** @throws TypeError */
export function checkUrl(href: string, base?: URL): URL {
  if (!URL.canParse(href, base)) throw new TypeError(`fetch: ${href} is not a URL`)
  const url = new URL(href, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`fetch: expected a URL of http or https, got ${url.protocol}`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('fetch: a URL with a user name or a password is refused: use a header')
  }
  return url
}
