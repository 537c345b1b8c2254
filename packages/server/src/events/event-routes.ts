import type { CloudEvent, EventBus, EventDetails } from '@nexus/event-bus'
import { type FunctionHost, type FunctionRun, functionRuns } from '@nexus/functions'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { FaultReporter } from '../answers/fault-reporter.js'
import { HttpError } from '../answers/http-error.js'
import { boundedText, parseQuery, wholeNumber } from '../answers/query.js'
import { streamText } from '../answers/stream-text.js'
import { type PageLimits, pageText, readPage } from './event-page.js'

const listQuery = z.strictObject({
  limit: wholeNumber(1, 1000).default(20),
  type: boundedText(512).optional(),
  cursor: boundedText(1024).optional(),
})

/** Ids are unique within a source: `source` is needed where events of several sources have the id. */
const eventQuery = z.strictObject({ source: boundedText(512).optional() })

/** Why is kept with the envelope. */
const eraseQuery = eventQuery.extend({ reason: boundedText(512).optional() })

/** What {@link eventRoutes} needs. */
export interface EventRouteParts extends PageLimits {
  bus: EventBus
  functions?: FunctionHost | undefined
  report: FaultReporter
}

/** Listing, looking up, replaying and erasing stored events. */
export function eventRoutes(
  server: FastifyInstance,
  { bus, functions, report, ...limits }: EventRouteParts,
): void {
  // What functions keep of the event goes with it.
  const eraser = functions ?? bus
  server.get('/api/events', async (request, reply) => {
    const query = parseQuery(listQuery, request.query)
    const parts = readPage(bus, query, limits, linkFrom(request))
    // The first part is read before the answer begins: what is wrong with the query is a refusal.
    const first = await parts.next()
    reply.type('application/json; charset=utf-8')
    return reply.send(streamText(reply, pageText(first.value!, parts), report))
  })

  server.get<EventRequest>('/api/events/:id', async ({ params, query }) =>
    toWire(bus, await find(bus, params.id, parseQuery(eventQuery, query).source)),
  )

  server.post<EventRequest>('/api/events/:id/replay', async ({ params, query }, reply) => {
    const { source } = parseQuery(eventQuery, query)
    const { event } = await find(bus, params.id, source)
    const { deliveries } = await bus.replay({ id: event.id, source: event.source })
    reply.code(202)
    return { id: params.id, deliveries }
  })

  server.delete<EventRequest>('/api/events/:id/data', async ({ params, query }) => {
    const { source, reason } = parseQuery(eraseQuery, query)
    const { event } = await find(bus, params.id, source)
    await eraser.erase({ id: event.id, source: event.source, reason })
    const { erased } = await find(bus, event.id, event.source)
    return { id: event.id, erased }
  })
}

interface EventRequest {
  Params: { id: string }
}

/** The address of an event, from the address of the list. */
function linkFrom({ url }: FastifyRequest): (event: CloudEvent) => string {
  const path = url.replace(/\?.*$/s, '')
  return ({ id, source }) =>
    `${path}/${encodeURIComponent(id)}?source=${encodeURIComponent(source)}`
}

async function toWire(
  bus: EventBus,
  { event, publishedAt, erased, deliveries }: EventDetails,
): Promise<{
  event: EventDetails['event']
  publishedAt: string
  erased?: EventDetails['erased']
  runs: FunctionRun[]
}> {
  return {
    event,
    publishedAt,
    ...(erased && { erased }),
    runs: await functionRuns(bus, deliveries),
  }
}

async function find(bus: EventBus, id: string, source: string | undefined): Promise<EventDetails> {
  const found = await bus.get(id, source)
  if (found) return found
  throw new HttpError(404, 'EVENT_NOT_FOUND', `No event has the id ${JSON.stringify(id)}.`)
}
