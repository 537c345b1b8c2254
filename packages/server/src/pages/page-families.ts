import type { MetricsRegistry } from '@nexus/metrics'

/** One measurement of a page. */
export interface PageMetric {
  name: string
  unit: string
  value: number
}

/** What `@nexus/profiler/browser` sends by itself; these have a place whatever else pages send. */
const knownKeys = [
  ...['TTFB', 'FCP', 'LCP', 'INP', 'long-task'],
  ...['dns', 'connect', 'response', 'download', 'domReady', 'load'].map(
    (part) => `navigation.${part}`,
  ),
].map((name) => keyOf(name, 'ms'))
knownKeys.push(keyOf('CLS', 'score'), keyOf('navigation.transferred', 'bytes'))

const other = '(other)'

/** From an answer at once to a page whose reader has left; limits of web vitals are among them. */
const secondsBuckets = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 0.8, 1, 1.8, 2.5, 3, 4, 8, 15, 30, 60]

/** Metrics of pages for Prometheus, with as many names as allowed: pages may send whatever they like. */
export class PageFamilies {
  readonly #maxKeys: number
  readonly #keys = new Set(knownKeys)
  readonly #seconds
  readonly #values
  readonly #refused

  constructor(registry: MetricsRegistry, maxNames: number) {
    this.#maxKeys = knownKeys.length + maxNames
    this.#seconds = registry.histogram({
      name: 'nexus_page_duration_seconds',
      help: 'Durations that pages measured: web vitals, loading, long tasks, interactions.',
      labelNames: ['name'],
      buckets: secondsBuckets,
    })
    this.#values = registry.summary({
      name: 'nexus_page_value',
      help: 'What pages measured in other units than time.',
      labelNames: ['name', 'unit'],
    })
    this.#refused = registry
      .counter({
        name: 'nexus_page_metrics_refused_total',
        help: 'Metrics of pages that were refused because too many came.',
      })
      .bind({})
  }

  observe({ name, unit, value }: PageMetric): void {
    const labels = this.#isTold(keyOf(name, unit)) ? { name, unit } : { name: other, unit: other }
    if (unit === 'ms') this.#seconds.observe({ name: labels.name }, Math.max(0, value) / 1000)
    else this.#values.observe(labels, value)
  }

  refused(count: number): void {
    this.#refused.inc(count)
  }

  /** Whether this one is told apart from others. */
  #isTold(key: string): boolean {
    if (this.#keys.has(key)) return true
    if (this.#keys.size >= this.#maxKeys) return false
    this.#keys.add(key)
    return true
  }
}

function keyOf(name: string, unit: string): string {
  return `${name}\n${unit}`
}
