import { ExecutorError } from '../errors.js'
import type { AroundHostCall } from '../host/guest-services.js'
import type { ResolvedCallOptions } from '../options.js'
import { describeThrown } from '../values/describe-thrown.js'
import { hostCodec } from '../values/host-codec.js'
import type { CallFailure, CallRequest } from './call.js'
import { tooDeepFailure } from './guest-failure.js'
import { monotonicMs } from './monotonic.js'

/** What a call is about, and what it may do. */
export interface HandlerContext {
  /** The handler's first argument; crosses as JSON. */
  event?: unknown
  /** The event as JSON text, where that is at hand: it is given to the handler instead of `event`, as it is. */
  eventJson?: string | undefined
  /** The name under which the call is measured, and which the handler sees. */
  functionName?: string | undefined
  /** Tokens of what the handler may do, such as `events:emit:com.nexus.order.*`; nothing by default. */
  capabilities?: readonly string[] | undefined
  /** What the handler sees as `ctx.env`; nothing by default. */
  env?: Readonly<Record<string, string>> | undefined
  /**
   * What the handler sees as `ctx.secrets`; nothing by default. Their values are taken out of the
   * call's log lines and error.
   */
  secrets?: Readonly<Record<string, string>> | undefined
  /** 1 for the first delivery of the event. */
  attempt?: number | undefined
  /** The W3C trace that the call belongs to, kept as the exemplar of its duration. */
  traceId?: string | undefined
  /** Wraps each call of a host function and each fetch of the handler, to trace it. */
  aroundHostCall?: AroundHostCall | undefined
}

const KEYS: Readonly<Record<keyof HandlerContext, true>> = {
  event: true,
  eventJson: true,
  functionName: true,
  capabilities: true,
  env: true,
  secrets: true,
  attempt: true,
  traceId: true,
  aroundHostCall: true,
}

/**
 * Refuses what no call reads: a limit that stands among the facts of the call would silently not hold.
 *
 * @throws ExecutorError `INVALID_OPTIONS`
 */
export function checkContext(context: HandlerContext): void {
  for (const key in context) {
    if (Object.hasOwn(KEYS, key)) continue
    const names = Object.keys(KEYS).join(', ')
    throw new ExecutorError(
      'INVALID_OPTIONS',
      `Unknown key "${key}" in the context of the call: expected ${names}. Limits such as timeoutMs are the third argument`,
    )
  }
}

const NO_CAPABILITIES: readonly string[] = []

/** A call of a handler, as it crosses to the thread that runs it. */
export function callRequest(
  id: number,
  handlerKey: string,
  eventJson: string | undefined,
  context: HandlerContext,
  options: ResolvedCallOptions,
): CallRequest {
  const { functionName, attempt, env, secrets, capabilities } = context
  const saysNothing =
    functionName === undefined &&
    attempt === undefined &&
    env === undefined &&
    secrets === undefined
  return {
    id,
    handlerKey,
    eventJson,
    contextJson: saysNothing ? undefined : JSON.stringify({ functionName, attempt, env, secrets }),
    capabilities: capabilities ?? NO_CAPABILITIES,
    isolation: options.isolation,
    limits: {
      timeoutMs: options.timeoutMs,
      memoryLimitBytes: options.memoryLimitBytes,
      maxHostCalls: options.maxHostCalls,
      maxResultBytes: options.maxResultBytes,
      maxLogBytes: options.maxLogBytes,
      maxFetches: options.maxFetches,
      maxRequestBytes: options.maxRequestBytes,
      maxResponseBytes: options.maxResponseBytes,
    },
    submittedAt: monotonicMs(),
  }
}

/**
 * The event as JSON, or why the call cannot be made: no JSON that an event may hold is an exception.
 *
 * @throws ExecutorError `INVALID_OPTIONS` when it is no JSON: it holds a cycle, a BigInt, a getter that throws
 */
export function eventJsonOf({
  event,
  eventJson,
}: HandlerContext): { json: string } | { failure: CallFailure } {
  if (eventJson !== undefined) return { json: eventJson }
  try {
    return { json: JSON.stringify(event) ?? 'null' }
  } catch (cause) {
    // Only a stack that was too small is about nesting: a cycle is a TypeError.
    const place = cause instanceof RangeError ? hostCodec.deepPlace(event, 'event') : undefined
    if (place !== undefined) return { failure: tooDeepFailure(place) }
    throw new ExecutorError(
      'INVALID_OPTIONS',
      `context.event cannot be turned into JSON: ${describeThrown(cause).message}`,
      { cause },
    )
  }
}
