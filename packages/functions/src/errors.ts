/** The stable codes a {@link FunctionsError} can carry. */
export type FunctionsErrorCode =
  | 'CLOSED'
  | 'FUNCTIONS_BUSY'
  | 'FUNCTION_EXISTS'
  | 'FUNCTION_FAILED'
  | 'FUNCTION_INVALID'
  | 'FUNCTION_NOT_FOUND'
  | 'FUNCTION_PAUSED'
  | 'INVALID_OPTIONS'
  | 'INVOKE_TIMEOUT'
  | 'PROFILE_IN_PROGRESS'
  | 'SUSPENSION_BUSY'
  | 'SUSPENSION_NOT_FOUND'
  | 'WATCH_FAILED'

/** Everything a `FunctionHost` throws: `code` is stable, the message says what to do. */
export class FunctionsError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'FunctionsError'

  constructor(
    /** Stable, for programs. */
    readonly code: FunctionsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
