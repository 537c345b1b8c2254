import { EventBusError } from '@nexus/event-bus'
import type { FastifyError, FastifyInstance } from 'fastify'
import { busRefusal } from './bus-refusal.js'
import { frameworkRefusal } from './framework-refusal.js'
import { answerHeaders, errorBody, HttpError } from './http-error.js'

/** What {@link useConventions} needs. */
export interface ConventionParts {
  bodyLimitBytes: number
  /** Is told of failures that are the server's own. */
  onFault: (error: Error) => void
}

/** Hands the bodies of the routes of `app` on as bytes, and answers each refusal as `{ error: { code, message } }`. */
export function useConventions(
  app: FastifyInstance,
  { bodyLimitBytes, onFault }: ConventionParts,
): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: bodyLimitBytes },
    (_request, body, done) => done(null, body),
  )
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    // A connection that stays open after the last answer would hold the stop until its deadline.
    if (closing) reply.header('connection', 'close')
    reply.headers(answerHeaders)
  })
  app.setErrorHandler<FastifyError | HttpError>((error, request, reply) => {
    const limitBytes = request.routeOptions.bodyLimit ?? bodyLimitBytes
    const { statusCode, code, message } = refusal(error, limitBytes, onFault)
    if (code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer')
    // The rest of the body is not waited for.
    if (statusCode === 408) reply.header('connection', 'close')
    reply.code(statusCode).send(errorBody(code, message))
  })
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
  // Only the framework's own refusals are meant for the client.
  const isRefusal = error.code?.startsWith('FST_') && (error.statusCode ?? 500) < 500
  if (!isRefusal) return fault(error, onFault)
  return frameworkRefusal(error)
}

/** What went wrong inside may hold paths and internals: it goes to the log, not to the client. */
function fault(error: Error, onFault: (error: Error) => void): HttpError {
  onFault(error)
  const message = 'The server failed to handle this request; its log says why.'
  return new HttpError(500, 'INTERNAL_ERROR', message)
}
