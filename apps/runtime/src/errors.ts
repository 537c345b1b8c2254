/** Why the runtime did not start, or did not take a new configuration; stable across versions. */
export type RuntimeErrorCode =
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_INVALID'
  | 'FUNCTION_INVALID'
  | 'TOKEN_REQUIRED'
  | 'SECRET_REQUIRED'
  | 'PORT_IN_USE'
  | 'LISTEN_FAILED'
  | 'DATA_UNAVAILABLE'

/** A start that failed for a reason its user can mend; the message says how. */
export class RuntimeError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'RuntimeError'

  constructor(
    /** Stable, for programs. */
    readonly code: RuntimeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
