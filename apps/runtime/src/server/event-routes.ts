import type { EventDetails, EventPage } from '@nexus/client'
import type { EventBus } from '@nexus/event-bus'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { functionRuns } from '../functions/function-runs.js'
import { HttpError } from './http-error.js'

const listQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d+$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(1000))
    .default(20),
  type: z.string().min(1).optional(),
  cursor: z.string().min(1).optional(),
})

/** Listing, looking up and replaying stored events. */
export function eventRoutes(server: FastifyInstance, bus: EventBus): void {
  server.get('/api/events', async (request): Promise<EventPage> => {
    const query = listQuery.safeParse(request.query)
    if (!query.success) throw invalidQuery(query.error)
    const { limit, type, cursor } = query.data
    const page = await bus.list({ limit, ...(type && { type }), ...(cursor && { cursor }) })
    return { ...page, events: page.events.map(({ event }) => event) }
  })

  server.get<{ Params: { id: string } }>(
    '/api/events/:id',
    async ({ params }): Promise<EventDetails> => {
      const stored = await bus.get(params.id)
      if (!stored) throw unknownEvent(params.id)
      return {
        event: stored.event,
        publishedAt: stored.publishedAt,
        runs: functionRuns(stored.deliveries),
      }
    },
  )

  server.post<{ Params: { id: string } }>('/api/events/:id/replay', async ({ params }, reply) => {
    if (!(await bus.get(params.id))) throw unknownEvent(params.id)
    const { deliveries } = await bus.replay({ id: params.id })
    reply.code(202)
    return { id: params.id, deliveries }
  })
}

function unknownEvent(id: string): HttpError {
  return new HttpError(404, 'EVENT_NOT_FOUND', `No event has the id ${JSON.stringify(id)}.`)
}

function invalidQuery({ issues: [issue] }: z.ZodError): HttpError {
  const name = issue?.path.join('.')
  return new HttpError(400, 'INVALID_QUERY', name ? `${name}: ${issue?.message}` : issue!.message)
}
