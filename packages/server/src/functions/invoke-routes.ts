import { header, parseJsonBody } from '@nexus/event-bus/http'
import type { FunctionHost, Invocation } from '@nexus/functions'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { goneSignal } from '../answers/gone-signal.js'
import { HttpError } from '../answers/http-error.js'
import { parseQuery, waitTime } from '../answers/query.js'
import { functionRefusal } from './function-refusal.js'

const invokeQuery = z.strictObject({ timeoutMs: waitTime })

/** Names the invocation, so that the request may be sent again: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
const IDEMPOTENCY_KEY = 'idempotency-key'
const MAX_KEY_LENGTH = 255

/** `POST /api/functions/:name/invoke` runs a function with the body as data, and answers what it did. */
export function invokeRoutes(server: FastifyInstance, functions: FunctionHost): void {
  server.post<{ Params: { name: string } }>(
    '/api/functions/:name/invoke',
    async ({ params: { name }, query, body, headers }, reply) => {
      const { timeoutMs } = parseQuery(invokeQuery, query)
      const data =
        Buffer.isBuffer(body) && body.length > 0
          ? parseJsonBody(body, headers['content-type'])
          : null
      const id = keyOf(header(headers, IDEMPOTENCY_KEY))
      const signal = goneSignal(reply)
      const invoked = functions.invoke(name, data, { timeoutMs, id, signal })
      const invocation = await functionRefusal(invoked)
      if (invocation.status === 'suspended') reply.code(202)
      else if (invocation.status !== 'succeeded') reply.code(502)
      return answerOf(invocation)
    },
  )
}

function keyOf(key: string | undefined): string | undefined {
  if (key === undefined || (key.length > 0 && key.length <= MAX_KEY_LENGTH)) return key
  throw new HttpError(
    400,
    'INVALID_IDEMPOTENCY_KEY',
    `Expected an ${IDEMPOTENCY_KEY} of 1 to ${MAX_KEY_LENGTH} characters, got ${key.length}.`,
  )
}

/** The run, and where the function failed the error in the place where every refusal has it. */
function answerOf({ error, ...run }: Invocation): object {
  if (!error) return { ...run, value: run.value ?? null }
  return { ...run, error: { ...error, code: 'FUNCTION_FAILED', cause: error.code } }
}
