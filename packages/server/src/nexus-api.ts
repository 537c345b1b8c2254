import { Webhook } from '@nexus/event-bus/http'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginOptions } from 'fastify'
import { guard } from './access/guard.js'
import { limitBodyTime } from './answers/body-timeout.js'
import { useConventions } from './answers/conventions.js'
import { faultReporter } from './answers/fault-reporter.js'
import { ServerError } from './errors.js'
import { eventRoutes } from './events/event-routes.js'
import { ingestRoutes } from './events/ingest-routes.js'
import { BusMonitor } from './operations/bus-monitor.js'
import { healthRoutes } from './operations/health-routes.js'
import { metricsRoutes } from './operations/metrics-routes.js'
import { optimizationRoutes } from './operations/optimization-routes.js'
import { profileRoutes } from './operations/profile-routes.js'
import { type NexusApiOptions, type ResolvedApiOptions, resolveOptions } from './options.js'
import { pageRoutes } from './pages/page-routes.js'

/**
 * Fastify plugin with the API of Nexus. It touches nothing of the application around it: body parsers, access rules and
 * error answers hold for its own routes.
 *
 * @example
 * ```ts
 * app.register(nexusApi, { prefix: '/nexus', bus, functions: host, metrics })
 * ```
 */
export const nexusApi: FastifyPluginAsync<NexusApiOptions & FastifyPluginOptions> = async (
  app,
  { prefix: _prefix, logLevel: _logLevel, logSerializers: _logSerializers, ...options },
) => mountApi(app, resolveOptions(options as NexusApiOptions))

/** Adds the routes and their rules to `app` itself. */
export function mountApi(app: FastifyInstance, options: ResolvedApiOptions): void {
  const { bus, webhook, webhooks, metrics, performance, profiler, pages, ready } = options
  const report = faultReporter(options.onFault)
  useConventions(app, { ...options, report })
  limitBodyTime(app, options.bodyTimeoutMs)
  app.addHook('onRequest', guard({ ...options, pageOrigins: pages ? pages.origins : undefined }))
  const monitor = new BusMonitor(bus, (reason) =>
    report(new ServerError('BUS_LOST', `bus: ${reason}`)),
  )
  app.addHook('onReady', () => monitor.start())
  healthRoutes(app, () => ({ serving: ready(), bus: monitor.connection }))
  ingestRoutes(app, {
    bus,
    webhook,
    webhooks: new Map(
      Object.entries(webhooks).map(([name, one]) => [
        name,
        new Webhook({ ...one, source: `/webhooks/${name}` }),
      ]),
    ),
    tracing: options.tracing,
  })
  eventRoutes(app, { ...options, report })
  if (metrics) metricsRoutes(app, { metrics, bus, report })
  if (profiler !== undefined) {
    profileRoutes(app, { profiler, functionNames: () => options.functions?.names ?? [] })
  }
  if (performance) optimizationRoutes(app, performance, options.enableOptimizations)
  pageRoutes(app, { performance, pages, registry: metrics?.registry })
}
