import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { HttpError } from '../answers/http-error.js'
import { isLoopback } from './loopback.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What lets a request in where it is not the token. `open`: everyone. `signed`: the route checks a signature.
     * `function`: the token, unless the function that answers says `auth: none`.
     * `page-metrics`: pages, of this origin and of those that are named. `page`: the token, but a link on another site
     * may lead here; only for a route that answers with a page and does no work. `link`: the same without the token, since the
     * address itself is signed. `secrets`: the token, also where the server listens on loopback only and asks for none elsewhere.
     */
    nexusAccess?: 'open' | 'function' | 'signed' | 'page-metrics' | 'page' | 'link' | 'secrets'
  }
}

/** Who may talk to the server. */
export interface AccessRules {
  /** Address the server listens on. */
  host: string
  token?: string | undefined
  /** Origins beside the server's own whose pages may send metrics; undefined where no page may. */
  pageOrigins: readonly string[] | undefined
  /** Whether the function that answers a request lets everyone in. */
  isOpenFunction(request: FastifyRequest): boolean
}

/** Refuses requests that the rules do not let in, before their bodies are read. */
export function guard(rules: AccessRules): onRequestHookHandler {
  return (request, reply, done) => {
    try {
      // A page on the web may resolve its own name to 127.0.0.1 and so reach a loopback server: refuse names
      // that are not ours. Elsewhere the token keeps such a page out.
      if (isLoopback(rules.host)) checkHost(request)
      if (fromNamedPage(request, rules)) allowOrigin(request, reply)
      else checkSite(request)
      const { nexusAccess } = request.routeOptions.config
      if (rules.token === undefined && nexusAccess === 'secrets') throw noToken()
      if (rules.token !== undefined && !needsNoToken(request, rules))
        checkToken(request, rules.token)
      done()
    } catch (error) {
      done(error as HttpError)
    }
  }
}

function noToken(): HttpError {
  return new HttpError(
    403,
    'TOKEN_REQUIRED',
    'The answer holds every secret of this server, which has no token: start it with NEXUS_TOKEN, and send that.',
  )
}

function checkHost({ headers }: FastifyRequest): void {
  const name = (headers.host ?? '').replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  if (isLoopback(name.toLowerCase())) return
  throw new HttpError(
    403,
    'HOST_NOT_ALLOWED',
    'This server answers on loopback only: use http://127.0.0.1 or http://localhost.',
  )
}

/**
 * Refuses what a browser sends for a page of another origin. `Origin` is missing from its simple GETs, so the browser's
 * own word counts as well: `Sec-Fetch-Site` is `same-origin`, or `none` for an address that its user typed.
 */
function checkSite(request: FastifyRequest): void {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  const sameOrigin = origin === undefined || isOriginOf(origin, request)
  const sameSite = site === undefined || site === 'same-origin' || site === 'none'
  if ((sameOrigin && sameSite) || isLinkToPage(request)) return
  throw new HttpError(
    403,
    'ORIGIN_NOT_ALLOWED',
    'Requests from pages of other origins are refused. Pages that may send metrics are named in performance.pages.origins.',
  )
}

/**
 * Another port of the same host is another origin, and so is a page that came without TLS to a server with TLS. A server
 * without TLS may stand behind a proxy that ends it, so pages with TLS may be its own.
 */
function isOriginOf(origin: string, { headers: { host }, protocol }: FastifyRequest): boolean {
  if (!URL.canParse(origin)) return false
  const page = new URL(origin)
  const sameScheme =
    page.protocol === 'https:' || (page.protocol === 'http:' && protocol === 'http')
  return sameScheme && page.host === host?.toLowerCase()
}

/** A link on another site that leads its reader to a page of ours, which does no work. */
function isLinkToPage({ headers, method, routeOptions }: FastifyRequest): boolean {
  return (
    ['page', 'link'].includes(routeOptions.config.nexusAccess ?? '') &&
    (method === 'GET' || method === 'HEAD') &&
    headers.origin === undefined &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document'
  )
}

/** Whether a page of an origin that was named sends its metrics, or asks whether it may. */
function fromNamedPage(request: FastifyRequest, { pageOrigins = [] }: AccessRules): boolean {
  const { origin } = request.headers
  return takesPageMetrics(request) && origin !== undefined && pageOrigins.includes(origin)
}

/** With credentials, because `sendBeacon` always sends some; nothing here looks at them. */
function allowOrigin({ headers: { origin } }: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'origin',
  })
}

function checkToken({ headers }: FastifyRequest, token: string): void {
  const [, given] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
  if (given !== undefined && sameSecret(given, token)) return
  throw new HttpError(
    401,
    'UNAUTHORIZED',
    'Expected the header "authorization: Bearer <token>" with the token of this server.',
  )
}

function takesPageMetrics({ routeOptions: { config } }: FastifyRequest): boolean {
  return config.nexusAccess === 'page-metrics'
}

function needsNoToken(request: FastifyRequest, rules: AccessRules): boolean {
  // A page has no token to send.
  if (takesPageMetrics(request)) return rules.pageOrigins !== undefined
  const { nexusAccess } = request.routeOptions.config
  if (nexusAccess === 'function') return rules.isOpenFunction(request)
  return nexusAccess === 'open' || nexusAccess === 'signed' || nexusAccess === 'link'
}

/** Compares in a time that tells nothing about how much of a guess was right, nor how long the secret is. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
