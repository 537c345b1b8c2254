import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MetricsCollector, type MetricsRegistry } from '@nexus/metrics'
import { createMetricProducer } from '@nexus/metrics/otel'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { afterEach, beforeEach, expect, it } from 'vitest'

/** A receiver of OTLP over HTTP in JSON, as a collector is one. */
const received: { path: string; body: unknown }[] = []
let server: Server
let url: string

beforeEach(async () => {
  received.length = 0
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ path: request.url!, body: JSON.parse(Buffer.concat(chunks).toString()) })
      response.setHeader('Content-Type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

interface OtlpPoint {
  attributes: { key: string; value: { stringValue: string } }[]
  asDouble?: number
  bucketCounts?: number[]
  explicitBounds?: number[]
  sum?: number
  count?: number
  startTimeUnixNano: string
}

interface OtlpMetric {
  name: string
  unit: string
  description: string
  sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: OtlpPoint[] }
  gauge?: { dataPoints: OtlpPoint[] }
  histogram?: { dataPoints: OtlpPoint[] }
}

async function exported(registry: MetricsRegistry): Promise<Map<string, OtlpMetric>> {
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: `${url}/v1/metrics` }),
    exportIntervalMillis: 3_600_000,
    metricProducers: [createMetricProducer(registry)],
  })
  const provider = new MeterProvider({
    readers: [reader],
    resource: resourceFromAttributes({ 'service.name': 'nexus-test' }),
  })
  await provider.forceFlush()
  await provider.shutdown()
  const body = received[0]!.body as {
    resourceMetrics: {
      resource: { attributes: { key: string; value: { stringValue: string } }[] }
      scopeMetrics: { scope: { name: string }; metrics: OtlpMetric[] }[]
    }[]
  }
  const [resourceMetrics] = body.resourceMetrics
  expect(resourceMetrics!.resource.attributes).toContainEqual({
    key: 'service.name',
    value: { stringValue: 'nexus-test' },
  })
  const metrics = resourceMetrics!.scopeMetrics.flatMap(({ metrics }) => metrics)
  return new Map(metrics.map((metric) => [metric.name, metric]))
}

it('an OTLP receiver gets every kind of metric through the SDK', async () => {
  const collector = new MetricsCollector()
  const { registry } = collector
  collector.recordExecution(
    { functionName: 'f', status: 'success', cacheTier: 'memory', durationUs: 2_000 },
    true,
  )
  registry.gauge({
    name: 'heap_bytes',
    help: 'Heap.',
    collect: async (observe) => observe(4_096),
  })
  registry.summary({ name: 'wait', help: 'Wait.', quantiles: [0.5] }).observe(4)
  registry.gauge({ name: 'unknown', help: 'Unknown.' }).set(Number.NaN)
  const metrics = await exported(registry)

  const executions = metrics.get('nexus_executions')!
  expect(executions).toMatchObject({
    description: expect.stringContaining('Executions of functions'),
    sum: { isMonotonic: true, aggregationTemporality: 2 },
  })
  const [point] = executions.sum!.dataPoints
  expect(point!.asDouble).toBe(1)
  expect(point!.attributes).toContainEqual({ key: 'function', value: { stringValue: 'f' } })
  expect(Number(point!.startTimeUnixNano) / 1e6).toBeCloseTo(registry.getStats().startedMs, -1)

  const duration = metrics.get('nexus_execution_duration_seconds')!
  expect(duration.unit).toBe('s')
  const [distribution] = duration.histogram!.dataPoints
  expect(distribution).toMatchObject({ count: 1, sum: 0.002 })
  expect(distribution!.bucketCounts![distribution!.explicitBounds!.indexOf(0.0025)]).toBe(1)
  expect(distribution!.bucketCounts).toHaveLength(distribution!.explicitBounds!.length + 1)

  expect(metrics.get('heap_bytes')).toMatchObject({
    unit: 'By',
    gauge: { dataPoints: [{ asDouble: 4_096 }] },
  })
  expect(metrics.get('wait')!.gauge!.dataPoints[0]).toMatchObject({
    asDouble: 4,
    attributes: [{ key: 'quantile', value: { stringValue: '0.5' } }],
  })
  expect(metrics.get('wait_count')!.sum!.dataPoints[0]!.asDouble).toBe(1)
  expect(metrics.get('unknown')!.gauge!.dataPoints).toEqual([])
})
