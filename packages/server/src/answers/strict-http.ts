import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { answerHeaders, errorBody, HttpError } from './http-error.js'

/**
 * Refuses what Node would refuse without a body: a request without `Host` or with several, too many headers, and an `Expect` that no
 * server can meet. Needs `requireHostHeader: false`.
 */
export function refuseBrokenRequests(server: FastifyInstance): void {
  server.server.on('checkExpectation', refuseExpectation)
  server.addHook('onRequest', (request, _reply, done) => {
    done(headerMistake(request.raw))
  })
}

/** Node reads 2000 headers and drops the others without a word: one of those could be the one that refuses. */
const MAX_HEADERS = 500

function headerMistake({ httpVersion, rawHeaders }: IncomingMessage): HttpError | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return new HttpError(431, 'HEADERS_TOO_LARGE', `Expected at most ${MAX_HEADERS} headers.`)
  }
  const hosts = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host')
  if (hosts.length === 1 || (hosts.length === 0 && httpVersion === '1.0')) return undefined
  return new HttpError(400, 'BAD_REQUEST', 'Expected one Host header.')
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
