import type { EventBus, EventInput, PublishResult } from '@nexus/event-bus'
import {
  cloudEventsMode,
  parseCloudEvents,
  parseJsonBody,
  type Webhook,
} from '@nexus/event-bus/http'
import type { Tracing } from '@nexus/functions/otel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HttpError } from '../answers/http-error.js'
import { publishTraced } from './publish-traced.js'
import { type WebhookHeaders, webhookEvent } from './webhook-event.js'

/** What {@link ingestRoutes} needs. */
export interface IngestParts {
  bus: EventBus
  webhook: WebhookHeaders
  webhooks: ReadonlyMap<string, Webhook>
  tracing: Tracing | undefined
}

/** `POST /api/webhook`, `/api/webhooks/:name` and `/api/events`: each answers 202 once what it was sent is durable. */
export function ingestRoutes(
  server: FastifyInstance,
  { bus, webhook, webhooks, tracing }: IngestParts,
): void {
  const publish = (request: FastifyRequest, events: readonly EventInput[]) =>
    publishTraced(tracing, request, events, (traced) => bus.publishBatch(traced))

  server.post('/api/webhook', async (request, reply) => {
    const json = parseJsonBody(bodyOf(request), request.headers['content-type'])
    const [stored] = await publish(request, [webhookEvent(request.headers, json, webhook)])
    reply.code(202)
    return receipt(stored!)
  })

  server.post<{ Params: { name: string } }>(
    '/api/webhooks/:name',
    { config: { nexusAccess: 'signed' } },
    async (request, reply) => {
      const found = webhooks.get(request.params.name)
      if (!found) throw unknownWebhook(request.params.name)
      const { headers } = request
      const [stored] = await publish(request, [found.receive({ headers, body: bodyOf(request) })])
      reply.code(202)
      return receipt(stored!)
    },
  )

  server.post('/api/events', async (request, reply) => {
    const { headers } = request
    const events = parseCloudEvents({ headers, body: bodyOf(request) })
    const results = (await publish(request, events)).map(receipt)
    reply.code(202)
    return cloudEventsMode(headers) === 'batched' ? { results } : results[0]
  })
}

function unknownWebhook(name: string): HttpError {
  return new HttpError(
    404,
    'WEBHOOK_NOT_FOUND',
    `No webhook is called ${JSON.stringify(name.slice(0, 80))}; webhooks are named in "webhooks" of the configuration.`,
  )
}

/** What became of an event: `duplicate` means that one with this source and id was stored before. */
function receipt({ id, duplicate }: PublishResult): { id: string; duplicate: boolean } {
  return { id, duplicate }
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}
