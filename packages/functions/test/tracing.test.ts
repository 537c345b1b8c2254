import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WasmRuntime } from '@nexus/executor'
import { createTracing } from '@nexus/functions/otel'
import { FunctionProfiler } from '@nexus/functions/profiling'
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
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
  trace.disable()
  context.disable()
  propagation.disable()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

interface OtlpSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
  status: { code?: number; message?: string }
  events: { name: string }[]
}

function startTracing(): { flush: () => Promise<Map<string, OtlpSpan>> } {
  const provider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }))],
  })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  return {
    async flush() {
      await provider.forceFlush()
      await provider.shutdown()
      const bodies = received.map(({ body }) => body) as {
        resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[]
      }[]
      const spans = bodies.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      )
      return new Map(spans.map((span) => [span.name, span]))
    },
  }
}

it('one trace leads from the request through the stored event to the handler and its host call', async () => {
  const { flush } = startTracing()
  const tracing = createTracing()
  const incoming = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = { traceparent: `00-${incoming}-00f067aa0ba902b7-01`, tracestate: 'vendor=1' }

  // The event is stored and read back by another process: only its own attributes survive.
  const stored = await tracing.request('POST /api/events', headers, async () => {
    await new Promise(setImmediate)
    return tracing.publish({ id: 'e1', type: 'com.nexus.order.placed' }, async (event) =>
      JSON.stringify(event),
    )
  })
  expect(tracing.traceId()).toBeUndefined()
  const event = JSON.parse(stored)
  expect(event).toMatchObject({ id: 'e1', tracestate: 'vendor=1' })
  const result = await tracing.process(
    event,
    { functionName: 'order-total', attempt: 2 },
    async () => {
      await new Promise(setImmediate)
      return tracing.hostCall('emit', { 'nexus.event_type': 'x' }, () => tracing.traceId())
    },
  )
  expect(result).toBe(incoming)

  const spans = await flush()
  const [request, publish, process, emit] = [
    'POST /api/events',
    'publish com.nexus.order.placed',
    'process order-total',
    'emit',
  ].map((name) => spans.get(name)!)
  expect([...spans.values()].every(({ traceId }) => traceId === incoming)).toBe(true)
  expect(request!.parentSpanId).toBe('00f067aa0ba902b7')
  expect(publish!.parentSpanId).toBe(request!.spanId)
  expect(process!.parentSpanId).toBe(publish!.spanId)
  expect(emit!.parentSpanId).toBe(process!.spanId)
  expect([request, publish, process, emit].map((span) => span!.kind)).toEqual([2, 4, 5, 3])
  expect(process!.attributes).toContainEqual({
    key: 'faas.invoked_name',
    value: { stringValue: 'order-total' },
  })
  expect(process!.attributes).toContainEqual({ key: 'nexus.attempt', value: { intValue: 2 } })
})

it('what fails is recorded on its span and thrown on', async () => {
  const { flush } = startTracing()
  const tracing = createTracing()
  const broken = new Error('no such order')
  const later = tracing.process({ type: 't' }, { functionName: 'later' }, async () => {
    throw broken
  })
  await expect(later).rejects.toBe(broken)
  expect(() =>
    tracing.hostCall('now', {}, () => {
      throw 'a string'
    }),
  ).toThrow('a string')
  const spans = await flush()
  expect(spans.get('process later')).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'no such order' },
    events: [{ name: 'exception' }],
  })
  expect(spans.get('now')!.status).toMatchObject({
    code: SpanStatusCode.ERROR,
    message: 'a string',
  })
})

it('without an SDK everything runs and the event carries nothing', () => {
  const tracing = createTracing()
  const event = { id: 'e1', type: 't' }
  expect(tracing.request('GET /', {}, () => tracing.publish(event, (stored) => stored))).toEqual(
    event,
  )
  expect(tracing.traceId()).toBeUndefined()
})

it('a profile is a span with its length, and one that fails says why', async () => {
  const { flush } = startTracing()
  const profiler = new FunctionProfiler({
    runtime: new WasmRuntime({ threads: 0, cacheDir: false }),
    tracing: createTracing(),
    profileProcess: () => Promise.reject(new Error('given up')),
  })
  const { signal } = new AbortController()
  await expect(profiler.profile({ durationMs: 5000, heap: true, signal })).rejects.toThrow(
    'given up',
  )
  const span = (await flush()).get('profile')!
  expect(span.attributes).toContainEqual({
    key: 'nexus.profile.duration_ms',
    value: { intValue: 5000 },
  })
  expect(span.attributes).toContainEqual({ key: 'nexus.profile.heap', value: { boolValue: true } })
  expect(span.status).toMatchObject({ code: SpanStatusCode.ERROR, message: 'given up' })
})
