/** What can go wrong in a pool, as a stable string. */
export type PoolErrorCode =
  /** No instance came free in time, or too many callers wait already. */
  | 'POOL_EXHAUSTED'
  /** The pool is shut down. */
  | 'POOL_CLOSED'
  /** An option is wrong; the message names it. */
  | 'INVALID_OPTIONS'
  /** An instance could not be made, or was not in the state that was asked for; see `cause`. */
  | 'INSTANCE_FAILED'
  /** A frozen image is damaged, or was frozen from another base than the one it is to be thawed on. */
  | 'IMAGE_REFUSED'

/** Thrown by everything in this package; `code` is stable, the message is for people. */
export class PoolError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'PoolError'

  /**
   * @param code stable, for programs
   * @param message for people
   * @param options `cause`
   */
  constructor(
    /** Stable, for programs. */
    readonly code: PoolErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
