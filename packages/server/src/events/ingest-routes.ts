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

/**
 * `POST /api/webhook`, `/api/webhooks/:name` and `/api/events`: each answers 202 once what it was sent is durable. A
 * CloudEvent is read as one at the first too, unless the header that names a type makes the whole body its data.
 */
export function ingestRoutes(
  server: FastifyInstance,
  { bus, webhook, webhooks, tracing }: IngestParts,
): void {
  const publish = (request: FastifyRequest, events: readonly EventInput[]) =>
    publishTraced(tracing, request, events, (traced) => bus.publishBatch(traced))

  const publishCloudEvents = async (request: FastifyRequest, message: HttpMessage) => {
    const results = (await publish(request, parseCloudEvents(message))).map(receipt)
    return cloudEventsMode(message.headers) === 'batched' ? { results } : results[0]
  }

  server.post('/api/webhook', async (request, reply) => {
    const message = messageOf(request)
    const { headers, body } = message
    reply.code(202)
    const namesType = header(headers, webhook.typeHeader) !== undefined
    if (!namesType && cloudEventsMode(headers)) return publishCloudEvents(request, message)
    const json = parseJsonBody(body, header(headers, 'content-type'))
    const [stored] = await publish(request, [webhookEvent(headers, json, webhook)])
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
    reply.code(202)
    return publishCloudEvents(request, messageOf(request))
  })
}

function unknownWebhook(name: string): HttpError {
  return new HttpError(
    404,
    'WEBHOOK_NOT_FOUND',
    `No webhook is called ${JSON.stringify(name.slice(0, 80))}; webhooks are named in "webhooks" of the configuration.`,
  )
}

/** The answer for one event: `duplicate` means that one with this source and id was stored before. */
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
