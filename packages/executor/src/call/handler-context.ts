import { describeThrown } from '@nexus/diagnostics'
import { ExecutorError } from '../errors.js'
import type { EncodedGlobals } from '../host/given-globals.js'
import type {
  AroundHostCall,
  InvokeFunction,
  LinkFunction,
  RespondFunction,
} from '../host/guest-services.js'
import { checkKeys } from '../known-keys.js'
import type { ResolvedCallOptions } from '../options.js'
import type { SuspensionStore } from '../suspension/suspension-store.js'
import { hostCodec } from '../values/host-codec.js'
import type { CallFailure, CallRequest } from './call.js'
import { tooDeepFailure } from './guest-failure.js'
import { monotonicMs } from './monotonic.js'

/** Where one call is kept while it stands still. */
export interface CallSuspension {
  /** Of one object, handler images are saved once. */
  store: SuspensionStore
  /** 36 hexadecimal digits and dashes that name the call. @default a random one */
  callId?: string | undefined
}

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
  /**
   * Globals of the handler for this call, such as `{ price: 3, lookup: async (id) => … }`. They are there when the handler
   * runs, not while its module loads. Values are copied as arguments of host functions are; a function becomes one that
   * answers with a promise, and needs no capability.
   */
  globals?: Readonly<Record<string, unknown>> | undefined
  /** Answers `ctx.invoke(name, data)`, for which the handler needs the capability `invoke:<name>`. */
  invoke?: InvokeFunction | undefined
  /** Answers `ctx.resumeUrl(name, value)`. */
  link?: LinkFunction | undefined
  /** Where this call is kept when it is suspended, in place of the store of the runtime. */
  suspension?: CallSuspension | undefined
  /**
   * Makes the call answer a request: its event is an {@link IncomingRequest}, the handler gets a `Request` of it, or is an
   * application with `fetch(request)`, and its `Response` comes here in parts. The next part is sent when the promise resolves;
   * when it rejects, none is.
   */
  respond?: RespondFunction | undefined
  /** Wraps each call of a host function and each fetch of the handler, to trace it. */
  aroundHostCall?: AroundHostCall | undefined
}

/** What a fact of a call must be: what is no text could not be sent to a thread. */
const EXPECTED = {
  anything: () => true,
  'a string': (value) => typeof value === 'string',
  'a number': (value) => typeof value === 'number',
  'a function': (value) => typeof value === 'function',
  'an object': (value) => typeof value === 'object' && value !== null,
  'a list of strings': (value) => Array.isArray(value) && value.every(isString),
  'an object of strings': (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(isString),
} satisfies Record<string, (value: unknown) => boolean>

const isString = (value: unknown): boolean => typeof value === 'string'

export const CONTEXT_KEYS: Readonly<Record<keyof HandlerContext, keyof typeof EXPECTED>> = {
  event: 'anything',
  eventJson: 'a string',
  functionName: 'a string',
  capabilities: 'a list of strings',
  env: 'an object of strings',
  secrets: 'an object of strings',
  attempt: 'a number',
  traceId: 'a string',
  globals: 'an object',
  invoke: 'a function',
  link: 'a function',
  suspension: 'an object',
  respond: 'a function',
  aroundHostCall: 'a function',
}

/**
 * Refuses what no call reads: a limit that stands among the facts of the call would silently not hold.
 *
 * @throws ExecutorError `INVALID_OPTIONS`
 */
export function checkContext(context: HandlerContext): void {
  const names = Object.keys(CONTEXT_KEYS)
  checkFacts('context', context, names, 'Limits such as timeoutMs are the third argument')
}

/**
 * Refuses keys other than `names`, and values that are not what the keys of a {@link HandlerContext} take.
 *
 * @param what the object is called in messages
 * @param hint follows the message about an unknown key
 * @throws ExecutorError `INVALID_OPTIONS`
 */
export function checkFacts(
  what: string,
  facts: HandlerContext,
  names: readonly string[],
  hint: string,
): void {
  checkKeys(what, facts, names, hint)
  for (const key in facts) {
    const expected = CONTEXT_KEYS[key as keyof HandlerContext]
    const value = facts[key as keyof HandlerContext]
    if (value === undefined || EXPECTED[expected](value)) continue
    throw new ExecutorError(
      'INVALID_OPTIONS',
      `${what}.${key}: expected ${expected}, got ${kindOf(value)}`,
    )
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'another array' : typeof value
}

const NO_CAPABILITIES: readonly string[] = []

/** A call of a handler, as it crosses to the thread that runs it. */
export function callRequest(
  id: number,
  handlerKey: string,
  eventJson: string | undefined,
  context: HandlerContext,
  options: ResolvedCallOptions,
  globals?: EncodedGlobals,
): CallRequest {
  const { functionName, attempt, env, secrets, capabilities, respond } = context
  const saysNothing =
    functionName === undefined &&
    attempt === undefined &&
    env === undefined &&
    secrets === undefined &&
    respond === undefined &&
    globals === undefined
  return {
    id,
    handlerKey,
    eventJson,
    contextJson: saysNothing
      ? undefined
      : JSON.stringify({
          ...{ functionName, attempt, env, secrets, globals },
          ...(respond && { isRequest: true }),
        }),
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
