import { addProcessMetrics, MetricsCollector } from '@nexus/metrics'

/** A collector with every figure of an execution recorded, beside process metrics and observed ones. */
export function fullCollector(): { collector: MetricsCollector; close: () => void } {
  const collector = new MetricsCollector()
  const removeProcessMetrics = addProcessMetrics(collector.registry)
  collector.registry.observe({
    metrics: {
      depth: { type: 'gauge', name: 'queue_depth', help: 'Jobs that wait.', labelNames: ['queue'] },
      jobs: { type: 'counter', name: 'jobs_total', help: 'Jobs that ended.' },
    },
    async collect(observe) {
      observe.depth(3, { queue: 'mail' })
      observe.jobs(10)
    },
  })
  const execution = {
    functionName: 'order-total',
    status: 'success',
    cacheTier: 'none',
    durationUs: 80,
    compileTimeUs: 900,
    queueWaitUs: 12,
    memoryUsedBytes: 500_000,
    hostCalls: 2,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  }
  collector.recordExecution(execution, true)
  collector.recordExecution({ ...execution, status: 'error', errorCode: 'TIMEOUT' }, false)
  return {
    collector,
    close() {
      removeProcessMetrics()
      collector.close()
    },
  }
}

/** The whole scrape as one text. */
export async function scrapeText(
  { registry }: MetricsCollector,
  format: 'text' | 'openmetrics' = 'text',
): Promise<string> {
  let text = ''
  for await (const chunk of registry.scrape({ format })) text += chunk
  return text
}
