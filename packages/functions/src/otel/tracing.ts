import { describeThrown } from '@nexus/diagnostics'
import {
  type Attributes,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'

/** The attributes by which an event carries its trace, as CloudEvents and W3C name them. */
export interface TraceContext {
  /** Trace and span, as W3C Trace Context writes them. */
  traceparent?: string | undefined
  /** What vendors add to it. */
  tracestate?: string | undefined
}

/** The call of a function for an event. */
export interface ProcessedFunction {
  /** Name of the function. */
  functionName: string
  /** First attempt is 1. */
  attempt?: number | undefined
}

/** Options of {@link createTracing}. */
export interface TracingOptions {
  /**
   * What spans are made with.
   * @default the tracer `@nexus/functions` of the global provider
   */
  tracer?: Tracer | undefined
}

/**
 * One trace from the request through the bus to the handler and its host calls. Every span wraps a callback
 * and ends with it; what the callback throws is recorded and thrown on.
 */
export interface Tracing {
  /** An incoming request; goes on with the trace of its headers. */
  request<T>(
    name: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    run: (span: Span) => T,
  ): T
  /** Storing an event. `run` gets the event with the trace it has to carry. */
  publish<E extends { type: string; id?: string }, T>(
    event: E,
    run: (event: E & TraceContext, span: Span) => T,
  ): T
  /** Running a function for an event; goes on with the trace that the event carries. */
  process<T>(
    event: TraceContext & { type: string; id?: string },
    call: ProcessedFunction,
    run: (span: Span) => T,
  ): T
  /** A call of the handler to the host. */
  hostCall<T>(name: string, attributes: Attributes, run: (span: Span) => T): T
  /** A profile of the process, from its start to its end. */
  profile<T>(session: { durationMs: number; heap: boolean }, run: (span: Span) => T): T
  /** Id of the trace that is active now, for exemplars and log lines. */
  traceId(): string | undefined
}

/**
 * Makes the spans of events and functions. Without an OpenTelemetry SDK registered they cost next to nothing and
 * lead nowhere.
 *
 * @example
 * ```ts
 * const host = new FunctionHost({ bus, runtime, tracing: createTracing() })
 * ```
 */
export function createTracing(options: TracingOptions = {}): Tracing {
  const tracer = options.tracer ?? trace.getTracer('@nexus/functions')

  function inSpan<T>(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    run: (span: Span) => T,
    parent = context.active(),
  ): T {
    return tracer.startActiveSpan(name, { kind, attributes }, parent, (span) => endWith(span, run))
  }

  return {
    request(name, headers, run) {
      const parent = propagation.extract(context.active(), headers)
      return inSpan(name, SpanKind.SERVER, {}, run, parent)
    },
    publish(event, run) {
      return inSpan(
        `publish ${event.type}`,
        SpanKind.PRODUCER,
        messaging(event, 'publish'),
        (span) => {
          const carried: TraceContext = {}
          propagation.inject(context.active(), carried)
          return run({ ...event, ...carried }, span)
        },
      )
    },
    process(event, { functionName, attempt }, run) {
      const attributes = {
        ...messaging(event, 'process'),
        'messaging.consumer.group.name': functionName,
        'faas.invoked_name': functionName,
        ...(attempt !== undefined && { 'nexus.attempt': attempt }),
      }
      const carried = { traceparent: event.traceparent, tracestate: event.tracestate }
      const parent = propagation.extract(context.active(), carried)
      return inSpan(`process ${functionName}`, SpanKind.CONSUMER, attributes, run, parent)
    },
    hostCall(name, attributes, run) {
      return inSpan(name, SpanKind.CLIENT, attributes, run)
    },
    profile({ durationMs, heap }, run) {
      const attributes = { 'nexus.profile.duration_ms': durationMs, 'nexus.profile.heap': heap }
      return inSpan('profile', SpanKind.INTERNAL, attributes, run)
    },
    traceId() {
      return trace.getActiveSpan()?.spanContext().traceId
    },
  }
}

function endWith<T>(span: Span, run: (span: Span) => T): T {
  const fail = (error: unknown): never => {
    const { name, message, stack } = describeThrown(error)
    span.recordException({ name: name ?? 'Error', message, ...(stack !== undefined && { stack }) })
    span.setStatus({ code: SpanStatusCode.ERROR, message })
    span.end()
    throw error
  }
  try {
    const result = run(span)
    if (!(result instanceof Promise)) {
      span.end()
      return result
    }
    const ended = result.then((value: unknown) => {
      span.end()
      return value
    }, fail)
    return ended as T
  } catch (error) {
    return fail(error)
  }
}

function messaging(event: { type: string; id?: string }, operation: string): Attributes {
  return {
    'messaging.system': 'nexus',
    'messaging.operation.type': operation,
    'messaging.destination.name': event.type,
    ...(event.id !== undefined && { 'messaging.message.id': event.id }),
  }
}
