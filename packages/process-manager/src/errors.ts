/** The stable codes a {@link ProcessManagerError} can carry. */
export type ProcessManagerErrorCode =
  | 'CLOSED'
  | 'DAEMON_UNAVAILABLE'
  | 'INVALID_OPTIONS'
  | 'LOCK_FAILED'
  | 'LOCK_TIMEOUT'
  | 'NOT_FOUND'
  | 'NOT_READY'
  | 'PM2_MISSING'
  | 'REFUSED'
  | 'TIMEOUT'
  | 'UNSUPPORTED'

/** Everything the process manager throws: `code` is stable, `details` holds the values the message mentions. */
export class ProcessManagerError extends Error {
  override readonly name = 'ProcessManagerError'
  /** Stable, for programs. */
  readonly code: ProcessManagerErrorCode
  /** The values the message was made from. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ProcessManagerErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }
}
