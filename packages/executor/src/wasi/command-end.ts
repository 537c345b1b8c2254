import { describeThrown } from '@nexus/diagnostics'
import type { DiscardReason } from '@nexus/instance-pool'
import type { CallFailure } from '../call/call.js'
import { engineFailure } from '../call/guest-failure.js'
import { clipText } from '../result/clip-text.js'
import type { ErrorCode } from '../result/error-code.js'
import type { CommandMemory } from './command-memory.js'
import { PAGE_BYTES } from './module/command-layout.js'

/** Thrown through the guest to end it: the command called `proc_exit`. */
export class CommandExit {
  constructor(readonly status: number) {}
}

/** Thrown through the guest to end it: a limit of the call is reached. */
export class CallEnded {
  constructor(readonly failure: CallFailure) {}
}

/** How a command ended. */
export interface CommandEnd {
  readonly failure: CallFailure | undefined
  /** Why its memory must not be used again. */
  readonly discard: DiscardReason | undefined
}

/** What a command that did not return left behind. */
interface Remains {
  readonly memory: CommandMemory
  /** Whether the last `memory.grow` was refused; undefined where the module does not tell. */
  readonly growthRefused: boolean | undefined
  /** The last emit that was refused. */
  readonly refusal: CallFailure | undefined
}

/**
 * Where the module does not tell whether its memory was refused to grow, a memory above this share of its maximum is
 * taken to have been too small for a command that failed.
 */
const FULL = 0.9
const MAX_FRAMES = 8
/** How much of a result that is not JSON its error shows. */
const MAX_SHOWN_LENGTH = 200
/** `    at name (wasm://wasm/4a1c:wasm-function[3]:0x12f)` */
const WASM_FRAME = /^\s*at (.+) \(wasm:\/\//

/**
 * What it means that `_start` returned, or threw.
 *
 * @param thrown `undefined` when it returned
 */
export function endOf(thrown: unknown, remains: Remains): CommandEnd {
  if (thrown === undefined) return { failure: undefined, discard: undefined }
  if (thrown instanceof CallEnded) return { failure: thrown.failure, discard: undefined }
  if (thrown instanceof CommandExit) {
    if (thrown.status === 0) return { failure: undefined, discard: undefined }
    const message = `The command ended with exit code ${thrown.status}`
    return {
      failure: remains.refusal ?? commandFailure('ExitError', message, remains),
      discard: undefined,
    }
  }
  if (thrown instanceof WebAssembly.RuntimeError) {
    const message = `The command trapped: ${describeTrap(thrown)}`
    return { failure: commandFailure('RuntimeError', message, remains), discard: 'trap' }
  }
  if (thrown instanceof RangeError && thrown.message === 'Maximum call stack size exceeded') {
    return { failure: failureOf('STACK_OVERFLOW', 'RangeError', thrown.message), discard: 'trap' }
  }
  return {
    failure: engineFailure(`The engine failed: ${describeThrown(thrown).message}`),
    discard: 'trap',
  }
}

/** The result of a command is what it wrote to stdout. */
export function checkResult(text: string): CallFailure | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch {
    // The parser's own message shows a piece of the text, in which a secret would be cut in half.
    const shown = clipText(text, MAX_SHOWN_LENGTH)
    const message = `Expected JSON or nothing on stdout, got: ${shown}`
    return failureOf('EXECUTION_ERROR', 'SyntaxError', message)
  }
}

export function memoryTooSmall(neededBytes: number, limitBytes: number): CallFailure {
  const message = `The command needs ${neededBytes} bytes of memory to start; its limit is ${limitBytes}`
  return { ...failureOf('MEMORY_LIMIT', 'RangeError', message), neverRetry: true }
}

/** A refused `memory.grow` is an answer to the guest, not an error; a command that fails after it ran out of memory. */
function commandFailure(
  name: string,
  message: string,
  { memory, growthRefused }: Remains,
): CallFailure {
  const used = memory.bytes
  const maximum = memory.use.maximum * PAGE_BYTES
  const hasGrown = used > memory.use.initial * PAGE_BYTES
  return failureOf(
    (growthRefused ?? (hasGrown && used >= maximum * FULL)) ? 'MEMORY_LIMIT' : 'EXECUTION_ERROR',
    name,
    `${message} (memory: ${used} of ${maximum} bytes)`,
  )
}

function failureOf(code: ErrorCode, name: string, message: string): CallFailure {
  return { code, report: { name, message } }
}

/** What the trap is called, and in which functions of the module it happened, the innermost first. */
function describeTrap({ message, stack = '' }: Error): string {
  const functions = stack
    .split('\n')
    .map((line) => WASM_FRAME.exec(line)?.[1])
    .filter((name) => name !== undefined)
  if (functions.length === 0) return message
  return `${message}, in ${functions.slice(0, MAX_FRAMES).join(' < ')}`
}
