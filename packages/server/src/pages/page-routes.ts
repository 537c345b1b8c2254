import { describeThrown } from '@nexus/diagnostics'
import { parseJsonBody } from '@nexus/event-bus/http'
import type { MetricsRegistry } from '@nexus/metrics'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { HttpError } from '../answers/http-error.js'
import type { PerformanceControl, PerformanceSource } from '../operations/performance-source.js'
import type { ResolvedApiOptions } from '../options.js'
import { Allowance } from './allowance.js'
import { PageFamilies, type PageMetric } from './page-families.js'

/** Where pages send their metrics. */
const path = '/api/performance'

/** What browsers send at most once a page is gone; `@nexus/profiler/browser` keeps within it. */
const bodyLimitBytes = 65_536
const access = { config: { nexusAccess: 'page-metrics' } } as const

/** What {@link pageRoutes} needs. */
export interface PageRouteParts {
  performance: PerformanceSource | undefined
  /** `false`: turned off by its own switch; undefined: not asked for. */
  pages: ResolvedApiOptions['pages']
  registry: MetricsRegistry | undefined
}

/** `POST /api/performance` takes metrics of pages, `GET` returns their summaries. */
export function pageRoutes(server: FastifyInstance, parts: PageRouteParts): void {
  const { performance, pages, registry } = parts
  if (!performance || !pages) {
    const refuse = () => {
      throw turnedOff(pages)
    }
    server.get(path, refuse)
    server.post(path, refuse)
    return
  }

  server.get(path, async () => {
    const client = await performance.client()
    const metrics = client.getMetricSummaries().map(({ category: _, ...summary }) => summary)
    return { metrics, uxImprovements: client.getUxImprovements() }
  })

  const families = registry && new PageFamilies(registry, pages.maxNames)
  const allowance = new Allowance(pages.maxMetricsPerMinute)

  // What a browser asks before it sends JSON to another origin; who may is decided before.
  server.options(path, access, (_request, reply) => {
    reply.headers({
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600',
    })
    reply.code(204).send()
  })

  server.post(path, { ...access, bodyLimit: bodyLimitBytes }, async (request, reply) => {
    const payload = parseJsonBody(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
    const count = countOf(payload)
    const taking = allowance.take(count)
    if (!taking.taken) {
      families?.refused(count)
      throw tooMany(reply, taking.waitSeconds, pages.maxMetricsPerMinute)
    }
    for (const metric of record(await performance.client(), payload)) families?.observe(metric)
    reply.code(204)
  })
}

function turnedOff(pages: ResolvedApiOptions['pages']): HttpError {
  if (pages === false) {
    return new HttpError(
      403,
      'METRICS_DISABLED',
      'Metrics of pages are turned off on this server: see performance.enableMetrics and PERFORMANCE_ENABLED.',
    )
  }
  return new HttpError(
    404,
    'PAGE_METRICS_OFF',
    'This server takes no metrics of pages: add "performance: { pages: {} }" to nexus.yaml for its own pages, and name others in performance.pages.origins.',
  )
}

function record(client: PerformanceControl, payload: unknown): PageMetric[] {
  try {
    return client.recordPageMetrics(payload)
  } catch (error) {
    const { code, message } = describeThrown(error)
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
