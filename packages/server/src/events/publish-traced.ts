import type { EventInput } from '@nexus/event-bus'
import type { Tracing } from '@nexus/functions/otel'
import type { FastifyRequest } from 'fastify'

/**
 * Publishes what a request brought, as one trace: the request goes on with the trace of its headers, and each event
 * carries the span it was published in. An event that carries a trace of its own keeps it.
 */
export function publishTraced<T>(
  tracing: Tracing | undefined,
  request: FastifyRequest,
  events: readonly EventInput[],
  publish: (events: readonly EventInput[]) => Promise<T>,
): Promise<T> {
  if (!tracing) return publish(events)
  const route = request.routeOptions.url ?? request.url
  return tracing.request(`${request.method} ${route}`, request.headers, (span) => {
    span.setAttributes({ 'http.request.method': request.method, 'http.route': route })
    const traced: EventInput[] = []
    // One write for all of them, once every span has begun; each ends with it.
    const written = Promise.resolve().then(() => publish(traced))
    const spans = events.map((event) => {
      if (event.traceparent !== undefined) {
        traced.push(event)
        return written
      }
      return tracing.publish(event, (carrying) => {
        traced.push(carrying)
        return written
      })
    })
    return Promise.all(spans).then(() => written)
  })
}
