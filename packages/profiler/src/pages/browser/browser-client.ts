/// <reference lib="dom" />
import { PerformanceError } from '../../errors.js'
import type { MetricInput, PerformanceMetric } from '../../metrics/metric.js'
import { type MetricFilter, MetricStore } from '../../metrics/metric-store.js'
import { type MetricSummary, summarizeMetrics } from '../../metrics/metric-summary.js'
import { type Interaction, interactionMetric } from '../interaction.js'
import { findUxImprovements, type UxImprovement } from '../ux-improvement.js'
import { MetricSender } from './metric-sender.js'
import { type NavigationTiming, readNavigationTiming } from './navigation-timing.js'
import { observePage } from './page-observer.js'

/** Options of {@link createPerformanceClient}. */
export interface BrowserClientOptions {
  /** Where metrics are sent: a route that hands its body to `recordPageMetrics` of the server's client. */
  endpoint: string
  /**
   * How often they are sent, in milliseconds.
   * @default 10_000
   */
  sendIntervalMs?: number | undefined
  /**
   * Whether web vitals, long tasks and how the page loaded are recorded.
   * @default true
   */
  observePage?: boolean | undefined
  /**
   * How many metrics are kept in the page; the oldest go first.
   * @default 1_000
   */
  maxMetrics?: number | undefined
}

/** What happened in a page so far. */
export interface PageSnapshot {
  /** In milliseconds since the epoch. */
  timestamp: number
  /** Path of the page. */
  page: string
  /** How the page was loaded; undefined where the browser does not say. */
  navigation: NavigationTiming | undefined
  /** What was recorded. */
  metrics: MetricSummary[]
}

/** What a client in a page holds. */
export interface BrowserClientStats {
  /** Metrics that are kept. */
  metrics: number
  /** Metrics that wait to be sent. */
  pending: number
  /** Metrics that were sent. */
  sent: number
  /** Metrics lost because the server did not take them. */
  dropped: number
}

const DEFAULTS = { sendIntervalMs: 10_000, observePage: true, maxMetrics: 1_000 }

/** Records what a page does and sends it to the server. Made by {@link createPerformanceClient}. */
export class BrowserPerformanceClient {
  readonly #metrics: MetricStore
  readonly #sender: MetricSender
  readonly #stopObserving: (() => void) | undefined

  constructor(options: BrowserClientOptions) {
    const { endpoint, sendIntervalMs, observePage: observed, maxMetrics } = resolve(options)
    const limits = { maxMetrics, metricsRetentionMs: Number.POSITIVE_INFINITY }
    this.#metrics = new MetricStore(limits, Date)
    this.#sender = new MetricSender(endpoint, sendIntervalMs)
    if (observed) this.#stopObserving = observePage((metric) => this.recordMetric(metric))
  }

  /**
   * Keeps a metric and sends it soon.
   *
   * @throws {@link InvalidMetricError}
   */
  recordMetric(metric: MetricInput): PerformanceMetric {
    const recorded = this.#metrics.record(metric)
    const { id, timestamp, ...sent } = recorded
    this.#sender.add(sent)
    return recorded
  }

  /** The metrics that match, oldest first. */
  getMetrics(filter?: MetricFilter): PerformanceMetric[] {
    return this.#metrics.find(filter)
  }

  /**
   * Keeps how long the visitor waited for something, and sends it soon.
   *
   * @throws {@link InvalidMetricError}
   */
  recordInteraction(interaction: Interaction): PerformanceMetric {
    return this.recordMetric(interactionMetric(interaction))
  }

  /** What this visitor waited for too long, worst first. */
  getUxImprovements(): UxImprovement[] {
    return findUxImprovements(this.getMetrics())
  }

  /** What happened in this page so far. */
  createSnapshot(): PageSnapshot {
    return {
      timestamp: Date.now(),
      page: location.pathname,
      navigation: readNavigationTiming(),
      metrics: summarizeMetrics(this.getMetrics()),
    }
  }

  /** Sends what waits now. */
  flush(): Promise<void> {
    return this.#sender.flush()
  }

  /** What the client holds. */
  getStats(): BrowserClientStats {
    return { metrics: this.#metrics.size, ...this.#sender.stats }
  }

  /** Sends a last time and stops. */
  close(): void {
    this.#stopObserving?.()
    this.#sender.close()
  }
}

/**
 * Creates a client for this page.
 *
 * @throws {@link PerformanceError} `INVALID_OPTIONS`
 *
 * @example
 * ```ts
 * const client = createPerformanceClient({ endpoint: '/api/performance' })
 * ```
 */
export function createPerformanceClient(options: BrowserClientOptions): BrowserPerformanceClient {
  return new BrowserPerformanceClient(options)
}

/** By hand, because a page should not have to load a schema library. */
function resolve(options: BrowserClientOptions): Required<BrowserClientOptions> & typeof DEFAULTS {
  const given = Object.fromEntries(
    Object.entries(options ?? {}).filter(([, value]) => value !== undefined),
  )
  const resolved = { endpoint: '', ...DEFAULTS, ...given }
  const isPositive = (value: unknown) => typeof value === 'number' && value > 0
  const problems = [
    ...Object.keys(given).filter((key) => key !== 'endpoint' && !(key in DEFAULTS)),
    ...(typeof resolved.endpoint === 'string' && resolved.endpoint ? [] : ['endpoint']),
    ...(isPositive(resolved.sendIntervalMs) ? [] : ['sendIntervalMs']),
    ...(isPositive(resolved.maxMetrics) ? [] : ['maxMetrics']),
    ...(typeof resolved.observePage === 'boolean' ? [] : ['observePage']),
  ]
  if (problems.length === 0) return resolved
  const message = `createPerformanceClient: unknown or wrong options: ${problems.join(', ')}`
  throw new PerformanceError('INVALID_OPTIONS', message, { problems })
}
