import type { EventBus, EventInput, PublishResult, WaitOptions } from '@nexus/event-bus'
import {
  cloudEventsMode,
  type HttpMessage,
  header,
  parseCloudEvents,
  parseJsonBody,
  type Webhook,
} from '@nexus/event-bus/http'
import { eventOutcome } from '@nexus/functions'
import type { Tracing } from '@nexus/functions/otel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { goneSignal } from '../answers/gone-signal.js'
import { HttpError } from '../answers/http-error.js'
import { parseQuery, queryFlag, waitTime } from '../answers/query.js'
import { publishTraced } from './publish-traced.js'
import { type WebhookHeaders, webhookEvent } from './webhook-event.js'

/** What {@link ingestRoutes} needs. */
export interface IngestParts {
  bus: EventBus
  webhook: WebhookHeaders
  webhooks: ReadonlyMap<string, Webhook>
  tracing: Tracing | undefined
}

const eventsQuery = z.strictObject({ wait: queryFlag, timeoutMs: waitTime })

/**
 * `POST /api/webhook`, `/api/webhooks/:name` and `/api/events`: each answers 202 once what it was sent is durable. A
 * CloudEvent is read as one at the first too, unless the header that names a type makes the whole body its data.
 * `POST /api/events?wait` answers 200 once every function has ended, and 202 when the time is over first.
 */
export function ingestRoutes(
  server: FastifyInstance,
  { bus, webhook, webhooks, tracing }: IngestParts,
): void {
  const publish = (
    request: FastifyRequest,
    events: readonly EventInput[],
    wait: WaitOptions | false = false,
  ) => publishTraced(tracing, request, events, (traced) => bus.publishBatch(traced, { wait }))

  server.post('/api/webhook', async (request, reply) => {
    const message = messageOf(request)
    const { headers, body } = message
    reply.code(202)
    const namesType = header(headers, webhook.typeHeader) !== undefined
    if (!namesType && cloudEventsMode(headers)) {
      return answerTo(message, await publish(request, parseCloudEvents(message)))
    }
    const json = parseJsonBody(body, header(headers, 'content-type'))
    const [stored] = await publish(request, [webhookEvent(headers, json, webhook)])
    return eventOutcome(stored!)
  })

  server.post<{ Params: { name: string } }>(
    '/api/webhooks/:name',
    { config: { nexusAccess: 'signed' } },
    async (request, reply) => {
      const found = webhooks.get(request.params.name)
      if (!found) throw unknownWebhook(request.params.name)
      const [stored] = await publish(request, [found.receive(messageOf(request))])
      reply.code(202)
      return eventOutcome(stored!)
    },
  )

  server.post('/api/events', async (request, reply) => {
    const { wait, timeoutMs } = parseQuery(eventsQuery, request.query)
    const message = messageOf(request)
    const events = parseCloudEvents(message)
    const results = await publish(request, events, wait && { timeoutMs, signal: goneSignal(reply) })
    const isSettled = results.every((result) => 'settled' in result && result.settled)
    reply.code(wait && isSettled ? 200 : 202)
    return answerTo(message, results)
  })
}

/** One answer, or one for each event of a batch. */
function answerTo({ headers }: HttpMessage, results: readonly PublishResult[]): object {
  const outcomes = results.map((result) => eventOutcome(result))
  return cloudEventsMode(headers) === 'batched' ? { results: outcomes } : outcomes[0]!
}

function unknownWebhook(name: string): HttpError {
  return new HttpError(
    404,
    'WEBHOOK_NOT_FOUND',
    `No webhook is called ${JSON.stringify(name.slice(0, 80))}; webhooks are named in "webhooks" of the configuration.`,
  )
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
