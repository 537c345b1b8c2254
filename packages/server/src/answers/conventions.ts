import { describeThrown } from '@nexus/diagnostics'
import { EventBusError } from '@nexus/event-bus'
import type { FastifyInstance } from 'fastify'
import { busRefusal } from './bus-refusal.js'
import type { FaultReporter } from './fault-reporter.js'
import { frameworkRefusal } from './framework-refusal.js'
import { answerHeaders, errorBody, HttpError } from './http-error.js'

/** What {@link useConventions} needs. */
export interface ConventionParts {
  bodyLimitBytes: number
  /** Gets failures that are the server's own. */
  report: FaultReporter
}

/** Hands the bodies of the routes of `app` on as bytes, and answers each refusal as `{ error: { code, message } }`. */
export function useConventions(
  app: FastifyInstance,
  { bodyLimitBytes, report }: ConventionParts,
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
  app.addHook('onSend', async (request, reply) => {
    // A connection that stays open after the last answer would hold the stop until its deadline.
    if (closing) reply.header('connection', 'close')
    // What a function answers may be kept, where it says so.
    const isFunction = request.routeOptions.config.nexusAccess === 'function'
    for (const [name, value] of Object.entries(answerHeaders)) {
      if (!isFunction || !reply.hasHeader(name)) reply.header(name, value)
    }
  })
  app.setErrorHandler<unknown>((thrown, request, reply) => {
    const limitBytes = request.routeOptions.bodyLimit ?? bodyLimitBytes
    const known = refusal(thrown, limitBytes)
    if (!known) report(thrown)
    const { statusCode, code, message } = known ?? internalError
    if (code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer')
    // The rest of the body is not waited for.
    if (statusCode === 408) reply.header('connection', 'close')
    reply.code(statusCode).send(errorBody(code, message))
  })
}

/** What went wrong inside may hold paths and names: it goes to the log, not to the client. */
const internalError = {
  statusCode: 500,
  code: 'INTERNAL_ERROR',
  message: 'The server failed to handle this request; its log says why.',
}

/** The answer to what is meant for the client; undefined for a failure of the server, whatever was thrown. */
function refusal(
  thrown: unknown,
  bodyLimitBytes: number,
): { statusCode: number; code: string; message: string } | undefined {
  try {
    if (thrown instanceof HttpError) return thrown
    if (thrown instanceof EventBusError) return busRefusal(thrown)
  } catch {
    // A proxy may refuse even this question.
  }
  const { code, statusCode } = describeThrown(thrown)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const message = `The body is larger than ${bodyLimitBytes} bytes.`
    return { statusCode: 413, code: 'BODY_TOO_LARGE', message }
  }
  // Only the framework's own refusals are meant for the client.
  const isRefusal = statusCode !== undefined && statusCode >= 400 && statusCode < 500
  return code?.startsWith('FST_') && isRefusal ? frameworkRefusal({ code, statusCode }) : undefined
}
