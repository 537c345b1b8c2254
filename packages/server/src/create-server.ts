import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { answerClientError } from './answers/client-error.js'
import { frameworkRefusal } from './answers/framework-refusal.js'
import { answerHeaders, errorBody, HttpError } from './answers/http-error.js'
import { refuseBrokenRequests } from './answers/strict-http.js'
import { mountApi } from './nexus-api.js'
import { type NexusApiOptions, resolveOptions } from './options.js'

/** Longest id in a path: 512 bytes, each percent-encoded. */
export const maxParamLength = 1536

/**
 * A Fastify server with the API and nothing else, hardened as the plugin alone cannot: also what Node's parser and the
 * router refuse is answered as `{ error: { code, message } }`, and a request that arrives too slowly is cut off.
 *
 * @throws ServerError `INVALID_OPTIONS`, `TOKEN_REQUIRED`
 *
 * @example
 * ```ts
 * const server = createServer({ bus, functions: host })
 * await server.listen({ host: '127.0.0.1', port: 8080 })
 * ```
 */
export function createServer(options: NexusApiOptions): FastifyInstance {
  const resolved = resolveOptions(options)
  const server = fastify({
    bodyLimit: resolved.bodyLimitBytes,
    requestTimeout: resolved.bodyTimeoutMs,
    // How often Node looks for requests that take too long: half a minute by default, which doubles the limit.
    http: { connectionsCheckingInterval: 1000, requireHostHeader: false },
    // Requests on open connections are answered while the server stops, and told that the connection closes.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength },
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { statusCode, code, message } = frameworkRefusal(error)
      reply.code(statusCode).headers(answerHeaders).send(errorBody(code, message))
    },
  })
  refuseBrokenRequests(server)
  mountApi(server, resolved)
  server.setNotFoundHandler(({ method, url }) => {
    throw new HttpError(
      404,
      'NOT_FOUND',
      `There is no ${method} ${url.split('?')[0]!.slice(0, 200)}.`,
    )
  })
  return server
}
