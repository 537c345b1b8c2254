import type { EventBus } from '@nexus/event-bus'
import type { RuntimeCache } from '@nexus/executor'
import { type MetricsCollector, negotiateFormat, type SystemMonitor } from '@nexus/metrics'
import type { FastifyInstance } from 'fastify'
import type { FaultReporter } from '../answers/fault-reporter.js'
import { streamText } from '../answers/stream-text.js'
import { machineReader } from './machine-reader.js'
import { metricsReport } from './metrics-report.js'

/** What {@link metricsRoutes} needs. */
export interface MetricsRouteParts {
  metrics: MetricsCollector
  bus: EventBus
  /** The machine. */
  system: SystemMonitor | undefined
  /** The caches of compiled code. */
  cache: RuntimeCache | undefined
  report: FaultReporter
}

/** Figures for people (`/api/metrics`) and for Prometheus (`/metrics`). */
export function metricsRoutes(
  server: FastifyInstance,
  { metrics, bus, system, cache, report }: MetricsRouteParts,
): void {
  const machine = system && machineReader(system)
  server.get('/api/metrics', async () => {
    const report = await metricsReport(bus, metrics, cache)
    return machine ? { ...report, system: { ...report.system, machine: machine() } } : report
  })

  server.get('/metrics', (request, reply) => {
    const { format, contentType } = negotiateFormat(request.headers.accept)
    const text = metrics.registry.scrape({ format })
    return reply.type(contentType).send(streamText(reply, text, report))
  })
}
