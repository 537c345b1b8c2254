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

/** Whether the same call may succeed when it is tried again; a bus heeds this before it retries. */
export const RETRYABLE: Readonly<Record<ErrorCode, boolean>> = {
  TIMEOUT: true,
  MEMORY_LIMIT: true,
  STACK_OVERFLOW: true,
  // A capability does not appear by trying again.
  PERMISSION_DENIED: false,
  EXECUTION_ERROR: true,
  COMPILATION_ERROR: false,
  INVALID_HANDLER: false,
  // The same event leads to the same result, and the limits stay as they are.
  RESOURCE_LIMIT: false,
  POOL_EXHAUSTED: true,
  INTERNAL_ERROR: true,
}
