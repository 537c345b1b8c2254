import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { refuseTunnel } from './client-error.js'
import { answerHeaders, errorBody, HttpError } from './http-error.js'

/**
 * Refuses what Node would refuse without a body: a request without `Host` or with several, too many headers, an `Expect` that no
 * server can meet, and `CONNECT`. Refuses an address of another host than `Host` says as well, because only `Host` is checked later.
 * Needs `requireHostHeader: false`.
 */
export function refuseBrokenRequests(server: FastifyInstance): void {
  server.server.on('checkExpectation', refuseExpectation)
  server.server.on('connect', refuseTunnel)
  server.addHook('onRequest', (request, _reply, done) => {
    done(headerMistake(request.raw))
  })
}

/** Node reads 2000 headers and drops the others without a word: one of those could be the one that refuses. */
const MAX_HEADERS = 500

function headerMistake({
  headers,
  httpVersion,
  rawHeaders,
  url = '',
}: IncomingMessage): HttpError | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return new HttpError(431, 'HEADERS_TOO_LARGE', `Expected at most ${MAX_HEADERS} headers.`)
  }
  const hosts = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host')
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion !== '1.0')) {
    return new HttpError(400, 'BAD_REQUEST', 'Expected one Host header.')
  }
  if (/^[/*?]/.test(url) || isAddressOf(url, headers.host)) return undefined
  return new HttpError(400, 'BAD_REQUEST', 'Expected a path, or an address of the host in Host.')
}

/** A client may send a whole address instead of its path. */
function isAddressOf(url: string, host: string | undefined): boolean {
  return URL.canParse(url) && new URL(url).host === host?.toLowerCase()
}

function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const message = 'Expected no Expect header but 100-continue.'
  response.writeHead(417, {
    'content-type': 'application/json; charset=utf-8',
    ...answerHeaders,
    connection: 'close',
  })
  response.end(JSON.stringify(errorBody('EXPECTATION_FAILED', message)))
}
