import { ExecutorError } from '../errors.js'
import type { AroundHostCall } from '../host/guest-services.js'
import type { ResolvedCallOptions } from '../options.js'
import type { CallRequest } from './call.js'
import { monotonicMs } from './monotonic.js'

/** What a call is about, and what it may do. */
export interface HandlerContext {
  /** The handler's first argument; crosses as JSON. */
  event: unknown
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
  /** Wraps each call of the handler to an extension and each fetch, to trace it. */
  aroundHostCall?: AroundHostCall | undefined
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

/** @throws ExecutorError `INVALID_OPTIONS` */
export function eventJsonOf({ event }: HandlerContext): string {
  try {
    return JSON.stringify(event) ?? 'null'
  } catch (cause) {
    throw new ExecutorError(
      'INVALID_OPTIONS',
      `context.event cannot be turned into JSON: ${(cause as Error).message}`,
      { cause },
    )
  }
}
