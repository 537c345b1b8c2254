/** The stable codes a {@link ServerError} can carry; `BUS_LOST` only reaches `onFault`. */
export type ServerErrorCode = 'INVALID_OPTIONS' | 'TOKEN_REQUIRED' | 'BUS_LOST'

/** Why the API cannot be mounted; refusals of requests are answers, see README. */
export class ServerError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'ServerError'

  constructor(
    /** Stable, for programs. */
    readonly code: ServerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
