import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { isLoopback } from '../loopback.js'
import { HttpError } from './http-error.js'

/** Who may talk to the server. */
export interface AccessRules {
  /** Address the server listens on. */
  host: string
  token: string | undefined
  /** Whether webhooks prove themselves by a signature, and so need no token. */
  signedWebhooks: boolean
  /** Origins beside the server's own whose pages may send metrics; undefined where no page may. */
  pageOrigins: readonly string[] | undefined
}

/** Where pages send their metrics. */
export const pageMetricsPath = '/api/performance'

/** Refuses requests that the rules do not let in, before their bodies are read. */
export function guard(rules: AccessRules): onRequestHookHandler {
  return (request, reply, done) => {
    try {
      // A page on the web may resolve its own name to 127.0.0.1 and so reach a loopback server: refuse names
      // that are not ours. Elsewhere the token keeps such a page out.
      if (isLoopback(rules.host)) checkHost(request)
      if (fromPageElsewhere(request, rules)) allowOrigin(request, reply)
      else checkOrigin(request)
      if (rules.token !== undefined && !isOpen(request, rules)) checkToken(request, rules.token)
      done()
    } catch (error) {
      done(error as HttpError)
    }
  }
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

/** Only browsers send `Origin`; pages of other sites have no business here. */
function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers
  if (origin === undefined) return
  if (URL.canParse(origin) && new URL(origin).host === host) return
  throw new HttpError(
    403,
    'ORIGIN_NOT_ALLOWED',
    'Requests from pages of other sites are refused. Pages that may send metrics are named in performance.pages.origins.',
  )
}

/** Whether a page of an origin that was named sends its metrics, or asks whether it may. */
function fromPageElsewhere(request: FastifyRequest, { pageOrigins = [] }: AccessRules): boolean {
  const { origin } = request.headers
  return sendsPageMetrics(request) && origin !== undefined && pageOrigins.includes(origin)
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

function sendsPageMetrics({ routeOptions: { url }, method }: FastifyRequest): boolean {
  return url === pageMetricsPath && (method === 'POST' || method === 'OPTIONS')
}

function isOpen(request: FastifyRequest, rules: AccessRules): boolean {
  const { url } = request.routeOptions
  if (url === '/healthz' || url === '/readyz') return true
  // A page has no token to send.
  if (sendsPageMetrics(request)) return rules.pageOrigins !== undefined
  return rules.signedWebhooks && request.method === 'POST' && url === '/api/webhook'
}

/** Compares in a time that tells nothing about how much of a guess was right, nor how long the secret is. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
