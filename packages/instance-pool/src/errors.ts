/** What can go wrong in a pool, as a stable string. */
export type PoolErrorCode = 'POOL_EXHAUSTED' | 'POOL_CLOSED' | 'INVALID_OPTIONS' | 'INSTANCE_FAILED'

/** Thrown by everything in this package; `code` is stable, the message is for people. */
export class PoolError extends Error {
  override readonly name = 'PoolError'

  constructor(
    readonly code: PoolErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
