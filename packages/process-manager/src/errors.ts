/** What went wrong, as a stable code to branch on. */
export type ProcessManagerErrorCode =
  | 'ALREADY_RUNNING'
  | 'CLOSED'
  | 'CONNECTION_FAILED'
  | 'DAEMON_INCOMPATIBLE'
  | 'DAEMON_LOST'
  | 'DAEMON_REFUSED'
  | 'DAEMON_UNREACHABLE'
  | 'DAEMON_UNRESPONSIVE'
  | 'HOME_UNUSABLE'
  | 'INTERNAL_ERROR'
  | 'INVALID_DEFINITION'
  | 'INVALID_OPTIONS'
  | 'INVALID_REQUEST'
  | 'LOCK_FAILED'
  | 'LOCK_TIMEOUT'
  | 'NOT_FOUND'
  | 'NOT_SUPPORTED'
  | 'PM2_UNAVAILABLE'
  | 'PORT_TAKEN'
  | 'SCRIPT_NOT_FOUND'
  | 'START_FAILED'
  | 'START_TIMEOUT'
  | 'STATE_UNREADABLE'
  | 'STOPPED'
  | 'TIMEOUT'

/** Everything this package throws: `code` is stable, `details` holds the values the message mentions. */
export class ProcessManagerError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'ProcessManagerError'
  /** Stable, for programs. */
  readonly code: ProcessManagerErrorCode
  /** The values the message was made from. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ProcessManagerErrorCode,
    message: string,
    options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }
}
