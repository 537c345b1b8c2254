import type { SourceLocation } from './call/execution-result.js'

/** Why a call or a handler failed; the strings are stable. */
export type ErrorCode =
  /** It ran longer than its time limit. */
  | 'TIMEOUT'
  /** It asked for more memory than its limit. */
  | 'MEMORY_LIMIT'
  /** It recursed deeper than its stack limit. */
  | 'STACK_OVERFLOW'
  /** It used something that no capability grants. */
  | 'PERMISSION_DENIED'
  /** The handler threw. */
  | 'EXECUTION_ERROR'
  /** The source does not compile. */
  | 'COMPILATION_ERROR'
  /** The module has no handler to call. */
  | 'INVALID_HANDLER'
  /** Its result, its events or its host calls are over a limit. */
  | 'RESOURCE_LIMIT'
  /** No instance, no thread or no place in the queue was free: try again later. */
  | 'POOL_EXHAUSTED'
  /** Nexus itself failed; nothing is known about the handler. */
  | 'INTERNAL_ERROR'

/** Thrown where there is no result to carry the error: by `precompile…` and on misuse of the API. */
export class ExecutorError extends Error {
  override readonly name = 'ExecutorError'
  readonly location: SourceLocation | undefined

  constructor(
    readonly code: ErrorCode | 'INVALID_OPTIONS' | 'SHUT_DOWN',
    message: string,
    options: ErrorOptions & { location?: SourceLocation | undefined } = {},
  ) {
    super(message, options)
    this.location = options.location
  }
}
