import { addProcessMetrics, MetricsCollector } from '@nexus/metrics'

/** A collector with every source attached and every figure of an execution recorded. */
export function fullCollector(): { collector: MetricsCollector; close: () => void } {
  const collector = new MetricsCollector()
  const removeProcessMetrics = addProcessMetrics(collector.registry)
  collector.observe({
    pool: () => ({
      active: 1,
      available: 3,
      suspended: 0,
      waiting: 0,
      memoryBytes: 4_000_000,
      rewinds: 10,
      discards: { trap: 1, grown: 0 },
    }),
    cache: () => ({
      hits: { memory: 9, disk: 1 },
      misses: 2,
      evictions: { memory: 0 },
      entries: { memory: 2 },
      bytes: { memory: 4_096, disk: 8_192 },
    }),
    threads: () => ({ count: 2, kills: 0 }),
    bus: async () => ({
      published: 10,
      delivered: { orders: 9 },
      failed: { orders: 1 },
      retries: { orders: 1 },
      deadLettered: { orders: 0 },
      replayed: 0,
      lag: { orders: 1 },
    }),
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
