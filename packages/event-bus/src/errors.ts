/** The stable codes an {@link EventBusError} can carry. */
export type EventBusErrorCode =
  | 'AMBIGUOUS_ID'
  | 'BACKPRESSURE'
  | 'CLAIM_LOST'
  | 'CLOSED'
  | 'EVENT_TOO_LARGE'
  | 'GROUP_CONFLICT'
  | 'INVALID_EVENT'
  | 'INVALID_JSON'
  | 'INVALID_OPTIONS'
  | 'INVALID_PATTERN'
  | 'NOT_FOUND'
  | 'READ_ONLY'
  | 'SCHEMA_MISMATCH'
  | 'SETTLEMENT_REFUSED'
  | 'SIGNATURE_INVALID'
  | 'STORE_CORRUPT'
  | 'STORE_EMPTIED'
  | 'STORE_FAILED'
  | 'STORE_LOCKED'
  | 'STORE_UNAVAILABLE'
  | 'TOO_DEEP'

/** Everything the bus throws: `code` is stable, `details` holds the values the message mentions. */
export class EventBusError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'EventBusError'
  /** Stable, for programs. */
  readonly code: EventBusErrorCode
  /** The values the message was made from. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: EventBusErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }
}
