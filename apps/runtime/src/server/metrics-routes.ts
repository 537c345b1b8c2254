import { Readable } from 'node:stream'
import type { MetricsReport } from '@nexus/client'
import { type MetricsCollector, negotiateFormat } from '@nexus/metrics'
import type { FastifyInstance } from 'fastify'

/** Figures for people (`/api/metrics`) and for Prometheus (`/metrics`). */
export function metricsRoutes(
  server: FastifyInstance,
  { registry }: MetricsCollector,
  report: () => Promise<MetricsReport>,
): void {
  server.get('/api/metrics', () => report())

  server.get('/metrics', (request, reply) => {
    const { format, contentType } = negotiateFormat(request.headers.accept)
    return reply.type(contentType).send(Readable.from(registry.scrape({ format })))
  })
}
