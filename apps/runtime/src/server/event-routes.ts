import type { EventDetails, EventPage } from '@nexus/client'
import type { EventBus } from '@nexus/event-bus'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { functionRuns } from '../functions/function-runs.js'
import { HttpError } from './http-error.js'
import { parseQuery, wholeNumber } from './query.js'

const listQuery = z.strictObject({
  limit: wholeNumber(1, 1000).default(20),
  type: z.string().min(1).optional(),
  cursor: z.string().min(1).optional(),
})

/** Listing, looking up and replaying stored events. */
export function eventRoutes(server: FastifyInstance, bus: EventBus): void {
  server.get('/api/events', async (request): Promise<EventPage> => {
    const { limit, type, cursor } = parseQuery(listQuery, request.query)
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
