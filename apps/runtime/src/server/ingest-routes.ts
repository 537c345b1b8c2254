import type { PublishReceipt } from '@nexus/client'
import type { EventBus, EventInput, JsonValue, PublishResult } from '@nexus/event-bus'
import type { Tracing } from '@nexus/metrics/otel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RuntimeConfig } from '../config/load-config.js'
import { publishTraced } from '../tracing.js'
import { readCloudEvents } from './cloud-events.js'
import { parseJsonBody } from './json-body.js'
import { verifySignature } from './signature.js'
import { webhookEvent } from './webhook-event.js'

/** What {@link ingestRoutes} needs. */
export interface IngestParts {
  bus: EventBus
  webhook: RuntimeConfig['webhook']
  tracing: Tracing | undefined
}

/** `POST /api/webhook` and `POST /api/events`: both answer 202 once what they were sent is durable. */
export function ingestRoutes(
  server: FastifyInstance,
  { bus, webhook, tracing }: IngestParts,
): void {
  const publish = (request: FastifyRequest, events: readonly EventInput[]) =>
    publishTraced(tracing, request, events, (traced) => bus.publishBatch(traced))

  server.post('/api/webhook', async (request, reply) => {
    const body = bodyOf(request.body)
    if (webhook.signature) {
      const { header, secret } = webhook.signature
      verifySignature(body, request.headers[header], header, secret)
    }
    const event = webhookEvent(request.headers, parseJsonBody(body) as JsonValue, webhook)
    const [stored] = await publish(request, [event])
    reply.code(202)
    return receipt(stored!)
  })

  server.post('/api/events', async (request, reply) => {
    const { events, batched } = readCloudEvents(request.headers, bodyOf(request.body))
    const results = (await publish(request, events)).map(receipt)
    reply.code(202)
    return batched ? { results } : results[0]
  })
}

function receipt({ id, duplicate }: PublishResult): PublishReceipt {
  return { id, duplicate }
}

function bodyOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}
