import { describeThrown } from '@nexus/diagnostics'
import type { GuestPtr, QuickJSInstance } from '@nexus/instance-pool'
import { PoolError } from '@nexus/instance-pool'
import { type GuestErrorReport, HostAnswer } from '../guest/protocol.js'
import { hostCodec } from '../values/host-codec.js'
import { MAX_STEPS } from '../values/value-limits.js'
import type { CallFailure } from './call.js'

/** What a guest may still allocate to describe the error that ended it for lack of memory. */
const LAST_WORDS_BYTES = 1024 * 1024

/** Of V8 and of QuickJS-NG. */
const STACK_OVERFLOW_MESSAGE = 'Maximum call stack size exceeded'

const CUT_SHORT: ReadonlySet<CallFailure['code']> = new Set([
  'TIMEOUT',
  'MEMORY_LIMIT',
  'STACK_OVERFLOW',
  'INTERNAL_ERROR',
])

const unknownReport: GuestErrorReport = {
  name: 'Error',
  message: 'The handler failed in a way that could not be described',
}

export function timeoutFailure(timeoutMs: number): CallFailure {
  return {
    code: 'TIMEOUT',
    report: {
      name: 'TimeoutError',
      message: `The handler ran longer than its limit of ${timeoutMs} ms`,
    },
  }
}

export function memoryFailure(): CallFailure {
  return {
    code: 'MEMORY_LIMIT',
    report: { name: 'InternalError', message: 'out of memory' },
  }
}

export function resultTooLarge(maxResultBytes: number): CallFailure {
  return {
    code: 'RESOURCE_LIMIT',
    report: {
      name: 'RangeError',
      message: `The result is larger than its limit of ${maxResultBytes} bytes`,
    },
  }
}

/** @param place the path of a place that is nested too deep */
export function tooDeepFailure(place: string): CallFailure {
  const { name, message } = hostCodec.tooDeep(place)
  return { code: 'RESOURCE_LIMIT', report: { name, message } }
}

/** @param what holds more values than the host's thread may be asked to build */
export function tooManyValuesFailure(what: string): CallFailure {
  const message = `${what}: there are more values than a call may hand over (${MAX_STEPS} steps)`
  return { code: 'RESOURCE_LIMIT', report: { name: 'RangeError', message } }
}

export function stuckFailure(): CallFailure {
  return {
    code: 'EXECUTION_ERROR',
    report: {
      name: 'Error',
      message:
        'The promise of the handler can never settle: no timer and no host call is left that could settle it',
    },
  }
}

/** @param failure what the promise was rejected with */
export function unhandledRejection({ code, report }: CallFailure): CallFailure {
  return { code, report: { ...report, message: `Unhandled rejection: ${report.message}` } }
}

/** Whether a failure leaves its sandbox in the middle of something, so that nothing in it is to be used again. */
export function isCutShort({ failure }: { failure: CallFailure | undefined }): boolean {
  return failure !== undefined && CUT_SHORT.has(failure.code)
}

/** Nexus or its engine failed; nothing is known about the handler. */
export function engineFailure(message: string): CallFailure {
  return { code: 'INTERNAL_ERROR', report: { name: 'InternalError', message } }
}

/** The failure of a call for which no sandbox came free; undefined when the error is another one. */
export function exhaustedFailure(error: unknown): CallFailure | undefined {
  if (!(error instanceof PoolError && error.code === 'POOL_EXHAUSTED')) return undefined
  return { code: 'POOL_EXHAUSTED', report: { name: error.name, message: error.message } }
}

/** What the host answers when something is over a limit. */
const LIMITS = [HostAnswer.Limit, HostAnswer.TooDeep, HostAnswer.TooLarge]

/** The answers a call was refused with: what it did not hear from the host, it cannot pass on. */
export type Refusals = ReadonlySet<number>

/**
 * The engine itself threw, and is in an unknown state.
 *
 * Recursion of the engine's own code (JSON, parsers, proxies) may reach the end of the thread's
 * stack before it reaches `maxStackBytes`: Node gives its main thread 984 KiB, a worker 4 MiB.
 */
export function trapFailure(error: unknown): CallFailure {
  if (error instanceof RangeError && error.message === STACK_OVERFLOW_MESSAGE) {
    const report = { name: error.name, message: error.message }
    return { code: 'STACK_OVERFLOW', report }
  }
  return engineFailure(`The engine failed: ${describeThrown(error).message}`)
}

/** Sorts an error that the guest described, as `!` and JSON, by its code. */
export function failureFromReport(
  described: string,
  refusals: Refusals,
  allocationRefused: boolean,
): CallFailure {
  const report = parseReport(described)
  if (isOutOfMemory(report, allocationRefused)) return { code: 'MEMORY_LIMIT', report }
  return { code: codeOf(report, refusals), report }
}

/**
 * Whether an allocation was refused, and this is what the engine throws then. A guest can throw the like at any time: it
 * counts only after a refusal.
 */
function isOutOfMemory(
  { name, message, stack }: GuestErrorReport,
  allocationRefused: boolean,
): boolean {
  // The engine notes no refusal while it compiles a regular expression: there the guest's word is all there is.
  if (name === 'SyntaxError' && message === 'out of memory') return true
  if (!allocationRefused) return false
  // When no memory is left to make the error with, the engine throws null.
  const isNull = message === 'null' && stack === undefined
  return isNull || (name === 'InternalError' && message === 'out of memory')
}

/** Takes the pending exception out of the engine and asks the guest to describe it. */
export function failureFromException(
  instance: QuickJSInstance,
  describePtr: GuestPtr,
  memoryLimitBytes: number,
  refusals: Refusals,
): CallFailure | undefined {
  const exception = instance.takeException()
  instance.setMemoryLimit(memoryLimitBytes + LAST_WORDS_BYTES)
  const described = instance.call(describePtr, exception)
  const text = instance.isException(described) ? undefined : instance.readString(described)
  instance.setMemoryLimit(memoryLimitBytes)
  for (const ptr of [exception, described]) instance.free(ptr)
  return text === undefined
    ? undefined
    : failureFromReport(text, refusals, instance.allocationRefused)
}

function parseReport(described: string): GuestErrorReport {
  try {
    return JSON.parse(described.slice(1)) as GuestErrorReport
  } catch {
    return unknownReport
  }
}

/** The engine's own errors are told by their names and texts (QuickJS-NG 0.11, quickjs.c). */
function codeOf({ message, code }: GuestErrorReport, refusals: Refusals): CallFailure['code'] {
  if (message === STACK_OVERFLOW_MESSAGE || message === 'stack overflow') {
    return 'STACK_OVERFLOW'
  }
  if (code === 'PERMISSION_DENIED' && refusals.has(HostAnswer.Denied)) return 'PERMISSION_DENIED'
  if (code === 'RESOURCE_LIMIT' && LIMITS.some((answer) => refusals.has(answer)))
    return 'RESOURCE_LIMIT'
  return 'EXECUTION_ERROR'
}
