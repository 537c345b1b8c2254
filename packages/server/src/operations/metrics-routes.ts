import { Readable } from 'node:stream'
import type { EventBus } from '@nexus/event-bus'
import { type MetricsCollector, negotiateFormat } from '@nexus/metrics'
import type { FastifyInstance } from 'fastify'
import { metricsReport } from './metrics-report.js'

/** Figures for people (`/api/metrics`) and for Prometheus (`/metrics`). */
export function metricsRoutes(
  server: FastifyInstance,
  metrics: MetricsCollector,
  bus: EventBus,
): void {
  server.get('/api/metrics', () => metricsReport(bus, metrics))

  server.get('/metrics', (request, reply) => {
    const { format, contentType } = negotiateFormat(request.headers.accept)
    return reply.type(contentType).send(Readable.from(metrics.registry.scrape({ format })))
  })
}
