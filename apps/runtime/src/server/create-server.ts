import { EventBusError } from '@nexus/event-bus'
import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { type AccessRules, guard } from './access.js'
import { busRefusal } from './bus-refusal.js'
import { errorBody, HttpError } from './http-error.js'

/** Settings of the server itself. */
export interface ServerOptions {
  access: AccessRules
  bodyLimitBytes: number
  /** Hears of failures that are the server's own fault. */
  onFault: (error: Error) => void
}

/** An HTTP server that hands bodies on as bytes and answers every refusal as `{ error: { code, message } }`. */
export function createServer({ access, bodyLimitBytes, onFault }: ServerOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    // A client that sends its request drop by drop does not hold a connection for ever.
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      reply.code(error.statusCode ?? 400).send(errorBody(error.code, error.message))
    },
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  server.addHook('onRequest', guard(access))
  let closing = false
  server.addHook('preClose', async () => {
    closing = true
  })
  server.addHook('onSend', async (_request, reply) => {
    // A connection that stays open after the last answer would hold the stop until its deadline.
    if (closing) reply.header('connection', 'close')
    reply.header('x-content-type-options', 'nosniff')
    reply.header('cache-control', 'no-store')
  })
  server.setNotFoundHandler(({ method, url }) => {
    throw new HttpError(404, 'NOT_FOUND', `There is no ${method} ${url.split('?')[0]}.`)
  })
  server.setErrorHandler<FastifyError | HttpError>((error, request, reply) => {
    const limitBytes = request.routeOptions.bodyLimit ?? bodyLimitBytes
    const { statusCode, code, message } = refusal(error, limitBytes, onFault)
    if (statusCode === 401) reply.header('www-authenticate', 'Bearer')
    reply.code(statusCode).send(errorBody(code, message))
  })
  return server
}

function refusal(
  error: FastifyError | HttpError | EventBusError,
  bodyLimitBytes: number,
  onFault: (error: Error) => void,
): { statusCode: number; code: string; message: string } {
  if (error instanceof HttpError) return error
  if (error instanceof EventBusError) return busRefusal(error) ?? fault(error, onFault)
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const message = `The body is larger than ${bodyLimitBytes} bytes.`
    return { statusCode: 413, code: 'BODY_TOO_LARGE', message }
  }
  const { statusCode = 500, code, message } = error
  return statusCode < 500 ? { statusCode, code, message } : fault(error, onFault)
}

/** What went wrong inside may hold paths and internals: it goes to the log, not to the client. */
function fault(error: Error, onFault: (error: Error) => void): HttpError {
  onFault(error)
  const message = 'The server failed to handle this request; its log says why.'
  return new HttpError(500, 'INTERNAL_ERROR', message)
}
