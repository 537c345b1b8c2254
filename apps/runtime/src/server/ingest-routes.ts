import type { PublishReceipt } from '@nexus/client'
import type { EventBus, JsonValue, PublishResult } from '@nexus/event-bus'
import type { FastifyInstance } from 'fastify'
import type { RuntimeConfig } from '../config/load-config.js'
import { readCloudEvents } from './cloud-events.js'
import { parseJsonBody } from './json-body.js'
import { verifySignature } from './signature.js'
import { webhookEvent } from './webhook-event.js'

/** `POST /api/webhook` and `POST /api/events`: both answer 202 once what they were sent is durable. */
export function ingestRoutes(
  server: FastifyInstance,
  bus: EventBus,
  webhook: RuntimeConfig['webhook'],
): void {
  server.post('/api/webhook', async (request, reply) => {
    const body = bodyOf(request.body)
    if (webhook.signature) {
      const { header, secret } = webhook.signature
      verifySignature(body, request.headers[header], header, secret)
    }
    const event = webhookEvent(request.headers, parseJsonBody(body) as JsonValue, webhook)
    reply.code(202)
    return receipt(await bus.publish(event))
  })

  server.post('/api/events', async (request, reply) => {
    const { events, batched } = readCloudEvents(request.headers, bodyOf(request.body))
    const results = (await bus.publishBatch(events)).map(receipt)
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
