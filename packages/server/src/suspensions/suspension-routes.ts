import { parseJsonBody } from '@nexus/event-bus/http'
import type { FunctionHost, FunctionSuspension } from '@nexus/functions'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../answers/http-error.js'
import { boundedText, parseQuery, wholeNumber } from '../answers/query.js'
import { functionRefusal } from '../functions/function-refusal.js'

interface Named {
  Params: { id: string }
}

const path = '/api/suspensions'

const listQuery = z.strictObject({
  function: boundedText(128).optional(),
  name: boundedText(512).optional(),
  limit: wholeNumber(1, 1000).default(100),
  cursor: boundedText(1024).optional(),
})

const thrown = z.union([
  z.string(),
  z.strictObject({ name: z.string().optional(), message: z.string(), code: z.string().optional() }),
])
const outcomeBody = z.union([
  z.strictObject({ value: z.unknown() }).refine((body) => 'value' in body),
  z.strictObject({ error: thrown }),
])

/**
 * `GET /api/suspensions` lists calls that stand still, `GET …/:id` is one of them and `GET …/:id/image` its sealed image,
 * `POST …/:id/resume` goes on with it, `DELETE …/:id` lets its wait fail so that it cleans up.
 */
export function suspensionRoutes(server: FastifyInstance, host: FunctionHost): void {
  server.get(path, async ({ query }) => host.suspensions.list(parseQuery(listQuery, query)))

  server.get<Named>(`${path}/:id`, async ({ params: { id } }) => found(host, id))

  server.get<Named>(`${path}/:id/image`, async ({ params: { id } }, reply) => {
    const image = await functionRefusal(host.suspensions.export(id))
    return reply.type('application/octet-stream').send(Buffer.from(image))
  })

  server.post<Named>(`${path}/:id/resume`, async ({ params: { id }, body, headers }, reply) => {
    const outcome = outcomeOf(body, headers['content-type'])
    const receipt = await functionRefusal(host.suspensions.resume(id, outcome))
    reply.code(202)
    return receipt
  })

  server.delete<Named>(`${path}/:id`, async ({ params: { id } }, reply) => {
    const receipt = await functionRefusal(host.suspensions.cancel(id))
    reply.code(202)
    return receipt
  })
}

async function found(host: FunctionHost, id: string): Promise<FunctionSuspension> {
  const suspension = await host.suspensions.get(id)
  if (suspension) return suspension
  throw new HttpError(404, 'SUSPENSION_NOT_FOUND', 'There is no such suspension, or no more.')
}

/** An empty body resumes with undefined. */
function outcomeOf(body: unknown, contentType: string | undefined) {
  if (!Buffer.isBuffer(body) || body.length === 0) return { success: true } as const
  const given = outcomeBody.safeParse(parseJsonBody(body, contentType))
  if (!given.success) {
    throw new HttpError(
      400,
      'INVALID_BODY',
      'Expected { "value": … } or { "error": "…" }, where the error may be { name, message, code }.',
    )
  }
  return 'error' in given.data
    ? { success: false as const, error: asThrown(given.data.error) }
    : { success: true as const, value: given.data.value }
}

function asThrown(error: z.infer<typeof thrown>) {
  if (typeof error === 'string') return error
  const { name, message, code } = error
  return { message, ...(name !== undefined && { name }), ...(code !== undefined && { code }) }
}
