import { Webhook } from '@nexus/event-bus/http'
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyPluginOptions,
  FastifyRequest,
} from 'fastify'
import { guard } from './access/guard.js'
import { limitBodyTime } from './answers/body-timeout.js'
import { useConventions } from './answers/conventions.js'
import { faultReporter } from './answers/fault-reporter.js'
import { ServerError } from './errors.js'
import { deadLetterRoutes } from './events/dead-letter-routes.js'
import { eventRoutes } from './events/event-routes.js'
import { ingestRoutes } from './events/ingest-routes.js'
import { functionRoutes } from './functions/function-routes.js'
import { functionFor, httpFunctionRoutes } from './functions/http-function-routes.js'
import { invokeRoutes } from './functions/invoke-routes.js'
import { pauseRoutes } from './functions/pause-routes.js'
import { BusMonitor } from './operations/bus-monitor.js'
import { cacheRoutes } from './operations/cache-routes.js'
import { healthRoutes } from './operations/health-routes.js'
import { heapSnapshotRoute } from './operations/heap-snapshot-route.js'
import { metricsRoutes } from './operations/metrics-routes.js'
import { optimizationRoutes } from './operations/optimization-routes.js'
import { profileRoutes } from './operations/profile-routes.js'
import { type NexusApiOptions, type ResolvedApiOptions, resolveOptions } from './options.js'
import { pageRoutes } from './pages/page-routes.js'
import { linkRoutes } from './suspensions/link-routes.js'
import { suspensionRoutes } from './suspensions/suspension-routes.js'

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
  const report = faultReporter(options.logger, options.onFault)
  useConventions(app, { ...options, report })
  limitBodyTime(app, options.bodyTimeoutMs)
  const isOpenFunction = (request: FastifyRequest) =>
    options.functions !== undefined &&
    functionFor(options.functions, request, app.prefix).match?.http.auth === 'none'
  app.addHook(
    'onRequest',
    guard({ ...options, pageOrigins: pages ? pages.origins : undefined, isOpenFunction }),
  )
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
  deadLetterRoutes(app, bus)
  const { runtime, functions } = options
  if (metrics)
    metricsRoutes(app, { metrics, bus, system: options.system, cache: runtime?.cache, report })
  if (runtime) cacheRoutes(app, runtime.cache, functions, options.logger)
  if (functions) {
    functionRoutes(app, functions)
    invokeRoutes(app, functions)
    pauseRoutes(app, functions)
    suspensionRoutes(app, functions)
    linkRoutes(app, functions)
    if (options.httpFunctions) {
      httpFunctionRoutes(app, { functions, hasToken: options.token !== undefined })
    }
  }
  if (profiler !== undefined) {
    profileRoutes(app, { profiler, functionNames: () => functions?.names ?? [] })
    heapSnapshotRoute(app, { enabled: profiler !== false, functions, logger: options.logger })
  }
  if (performance) optimizationRoutes(app, performance, options.enableOptimizations)
  pageRoutes(app, { performance, pages, registry: metrics?.registry })
}
