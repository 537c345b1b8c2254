import type { PagePerformanceReport } from '@nexus/client'
import type { MetricsRegistry } from '@nexus/metrics'
import type { PerformanceClient, PerformanceMetric } from '@nexus/profiler'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { PerformanceConfig } from '../config/performance-config.js'
import { Allowance } from '../pages/allowance.js'
import { PageFamilies } from '../pages/page-families.js'
import type { PerformanceMonitor } from '../profiling/performance-monitor.js'
import { pageMetricsPath } from './access.js'
import { HttpError } from './http-error.js'
import { parseJsonBody } from './json-body.js'

/** What browsers send at most once a page is gone; `@nexus/profiler/browser` keeps within it. */
const bodyLimitBytes = 65_536

/** What {@link pageRoutes} needs. */
export interface PageRouteParts {
  performance: PerformanceMonitor
  config: PerformanceConfig
  registry: MetricsRegistry
}

/** `POST /api/performance` takes metrics of pages, `GET` tells what they add up to. */
export function pageRoutes(server: FastifyInstance, parts: PageRouteParts): void {
  const { performance, config, registry } = parts
  const { pages } = config

  server.get(pageMetricsPath, async (): Promise<PagePerformanceReport> => {
    assertOn(config)
    const client = await performance.client()
    const metrics = client.getMetricSummaries().map(({ category: _, ...summary }) => summary)
    return { metrics, uxImprovements: client.getUxImprovements() }
  })

  if (!pages) {
    server.post(pageMetricsPath, () => assertOn(config))
    return
  }
  const families = new PageFamilies(registry, pages.maxNames)
  const allowance = new Allowance(pages.maxMetricsPerMinute)

  // What a browser asks before it sends JSON to another origin; who may is decided before.
  server.options(pageMetricsPath, (_request, reply) => {
    reply.headers({
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600',
    })
    reply.code(204).send()
  })

  server.post(pageMetricsPath, { bodyLimit: bodyLimitBytes }, async (request, reply) => {
    assertOn(config)
    const payload = parseJsonBody(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
    const count = countOf(payload)
    const taking = allowance.take(count)
    if (!taking.taken) {
      families.refused(count)
      throw tooMany(reply, taking.waitSeconds, pages.maxMetricsPerMinute)
    }
    for (const metric of record(await performance.client(), payload)) families.observe(metric)
    reply.code(204)
  })
}

function assertOn({ pages, enableMetrics }: PerformanceConfig): void {
  if (!pages) {
    throw new HttpError(
      404,
      'PAGE_METRICS_OFF',
      'This server takes no metrics of pages: add "performance: { pages: {} }" to nexus.yaml for its own pages, and name others in performance.pages.origins.',
    )
  }
  if (!enableMetrics) {
    throw new HttpError(
      403,
      'METRICS_DISABLED',
      'Metrics of pages are turned off on this server: see performance.enableMetrics and PERFORMANCE_ENABLED.',
    )
  }
}

function record(client: PerformanceClient, payload: unknown): PerformanceMetric[] {
  try {
    return client.recordPageMetrics(payload)
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code !== 'INVALID_METRIC') throw error
    throw new HttpError(400, code, message, { cause: error })
  }
}

/** Something wrong counts as one. */
function countOf(payload: unknown): number {
  const { metrics } = (payload ?? {}) as { metrics?: unknown }
  return Array.isArray(metrics) ? Math.max(1, metrics.length) : 1
}

function tooMany(reply: FastifyReply, waitSeconds: number, perMinute: number): HttpError {
  reply.header('retry-after', waitSeconds)
  return new HttpError(
    429,
    'TOO_MANY_METRICS',
    `Pages sent more than ${perMinute} metrics a minute. Send again in ${waitSeconds} s, or raise performance.pages.maxMetricsPerMinute.`,
  )
}
