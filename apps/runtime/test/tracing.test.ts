import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { json, serve, settled } from './workspace.js'

const exporter = new InMemorySpanExporter()

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))
})
beforeEach(() => exporter.reset())
afterAll(() => {
  trace.disable()
  context.disable()
  propagation.disable()
})

const files = {
  'nexus.yaml': `functions:
  - { name: first, source: ./first.js, events: [a], capabilities: ['events:emit:b'] }
  - { name: second, source: ./second.js, events: [b], retry: { maxAttempts: 1 } }
`,
  'first.js': "export default (event, ctx) => ctx.emit('b', { id: event.id })",
  'second.js': "export default () => { throw new TypeError('broken') }",
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const incoming = { traceparent: `00-${traceId}-b7ad6b7169203331-01` }

/** The spans by name, once there are as many as expected. */
async function spans(count: number): Promise<Map<string, ReadableSpan>> {
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(count)
  return new Map(exporter.getFinishedSpans().map((span) => [span.name, span]))
}

function parentOf(span: ReadableSpan | undefined): string | undefined {
  return span?.parentSpanContext?.spanId
}

it('one trace leads from the request through the bus to each function and what it emits', async () => {
  const { send, client } = await serve(files)
  await send('/api/webhook', json({ type: 'a', id: 'e-1' }, incoming))
  await settled(client, 'e-1')
  const found = await spans(5)
  const request = found.get('POST /api/webhook')
  expect(parentOf(request)).toBe('b7ad6b7169203331')
  expect(request).toMatchObject({
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': 'POST', 'http.route': '/api/webhook' },
  })
  const path = ['POST /api/webhook', 'publish a', 'process first', 'publish b', 'process second']
  for (const [index, name] of path.entries()) {
    const span = found.get(name)!
    expect(span.spanContext().traceId).toBe(traceId)
    if (index > 0) expect(parentOf(span)).toBe(found.get(path[index - 1]!)!.spanContext().spanId)
  }
  expect(found.get('process first')).toMatchObject({
    kind: SpanKind.CONSUMER,
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'faas.invoked_name': 'first', 'messaging.message.id': 'e-1', 'nexus.attempt': 1 },
  })
  expect(found.get('process second')!.status).toEqual({
    code: SpanStatusCode.ERROR,
    message: 'broken',
  })
  const { event } = await client.getEvent('e-1')
  const { spanId } = found.get('publish a')!.spanContext()
  expect(event.traceparent).toBe(`00-${traceId}-${spanId}-01`)
})

it('what a function asks of the host is a span below its own', async () => {
  const upstream = createServer((_request, response) => response.end('fine'))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void upstream.close())
  const { port } = upstream.address() as AddressInfo
  const { send, client } = await serve({
    'nexus.yaml': `functions:
  - { name: asking, source: ./asking.js, events: [a], capabilities: ['net:127.0.0.1:${port}'] }
`,
    'asking.js': `export default async () => (await fetch('http://127.0.0.1:${port}/')).text()`,
  })
  await send('/api/webhook', json({ type: 'a', id: 'e-1' }, incoming))
  const { runs } = await settled(client, 'e-1')
  expect(runs[0]).toMatchObject({ status: 'succeeded', value: 'fine' })
  const found = await spans(4)
  expect(parentOf(found.get('fetch'))).toBe(found.get('process asking')!.spanContext().spanId)
  expect(found.get('fetch')).toMatchObject({ kind: SpanKind.CLIENT })
})

it('each event of a batch has a span of its own, and one with a trace of its own keeps it', async () => {
  const { client } = await serve({ 'nexus.yaml': 'functions: []\n' })
  const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
  await client.publishBatch([
    { type: 'a', id: 'e-1' },
    { type: 'b', id: 'e-2' },
    { type: 'c', id: 'e-3', traceparent: own },
  ])
  const found = await spans(3)
  const request = found.get('POST /api/events')!.spanContext()
  for (const [id, name] of [
    ['e-1', 'publish a'],
    ['e-2', 'publish b'],
  ] as const) {
    expect(parentOf(found.get(name))).toBe(request.spanId)
    const { spanId } = found.get(name)!.spanContext()
    expect((await client.getEvent(id)).event.traceparent).toBe(`00-${request.traceId}-${spanId}-01`)
  }
  expect((await client.getEvent('e-3')).event.traceparent).toBe(own)
})

it('an event that is refused ends its trace with the reason', async () => {
  const { send } = await serve({ 'nexus.yaml': 'functions: []\n' })
  expect((await send('/api/webhook', json({ type: 'a*' }))).status).toBe(400)
  const found = await spans(2)
  expect(found.get('POST /api/webhook')!.status.code).toBe(SpanStatusCode.ERROR)
})
