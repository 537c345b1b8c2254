import type { EventBus } from '@nexus/event-bus'
import { type MetricsCollector, negotiateFormat } from '@nexus/metrics'
import type { FastifyInstance } from 'fastify'
import type { FaultReporter } from '../answers/fault-reporter.js'
import { streamText } from '../answers/stream-text.js'
import { metricsReport } from './metrics-report.js'

/** What {@link metricsRoutes} needs. */
export interface MetricsRouteParts {
  metrics: MetricsCollector
  bus: EventBus
  report: FaultReporter
}

/** Figures for people (`/api/metrics`) and for Prometheus (`/metrics`). */
export function metricsRoutes(
  server: FastifyInstance,
  { metrics, bus, report }: MetricsRouteParts,
): void {
  server.get('/api/metrics', () => metricsReport(bus, metrics))

  server.get('/metrics', (request, reply) => {
    const { format, contentType } = negotiateFormat(request.headers.accept)
    const text = metrics.registry.scrape({ format })
    return reply.type(contentType).send(streamText(reply, text, report))
  })
}
