import type { EventBus, EventInput, PublishResult } from '@nexus/event-bus'
import {
  cloudEventsMode,
  type HttpMessage,
  header,
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
    const { headers, body } = messageOf(request)
    const json = parseJsonBody(body, header(headers, 'content-type'))
    const [stored] = await publish(request, [webhookEvent(headers, json, webhook)])
    reply.code(202)
    return receipt(stored!)
  })

  server.post<{ Params: { name: string } }>(
    '/api/webhooks/:name',
    { config: { nexusAccess: 'signed' } },
    async (request, reply) => {
      const found = webhooks.get(request.params.name)
      if (!found) throw unknownWebhook(request.params.name)
      const [stored] = await publish(request, [found.receive(messageOf(request))])
      reply.code(202)
      return receipt(stored!)
    },
  )

  server.post('/api/events', async (request, reply) => {
    const message = messageOf(request)
    const events = parseCloudEvents(message)
    const results = (await publish(request, events)).map(receipt)
    reply.code(202)
    return cloudEventsMode(message.headers) === 'batched' ? { results } : results[0]
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

/** The request as it came: a header that was sent several times keeps each of its values. */
function messageOf({ body, raw }: FastifyRequest): HttpMessage {
  const headers: Record<string, string[]> = Object.create(null)
  for (let i = 0; i < raw.rawHeaders.length; i += 2) {
    const name = raw.rawHeaders[i]!.toLowerCase()
    headers[name] = [...(headers[name] ?? []), raw.rawHeaders[i + 1]!]
  }
  return { headers, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) }
}
