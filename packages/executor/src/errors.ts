import type { ErrorCode } from './result/error-code.js'
import type { ErrorLocation } from './result/execution-result.js'

/**
 * Thrown where there is no result to carry the error: by `precompile…` and on misuse of the API.
 *
 * @example
 * ```ts
 * try {
 *   await runtime.precompileFile('functions/order.ts')
 * } catch (error) {
 *   if (error instanceof ExecutorError) console.error(error.code, error.location, error.message)
 * }
 * ```
 */
export class ExecutorError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'ExecutorError'
  /** Where in the handler's source, when that is known. */
  readonly location: ErrorLocation | undefined

  /**
   * @param message for people
   * @param options `cause`, and the `location` when that is known
   */
  constructor(
    /** Stable, for programs. */
    readonly code:
      | ErrorCode
      | 'INVALID_OPTIONS'
      | 'SHUT_DOWN'
      | 'CONTEXT_CLOSED'
      | 'SUSPENSION_NOT_FOUND'
      | 'SUSPENSION_BUSY'
      | 'SUSPENSION_REFUSED',
    message: string,
    options: ErrorOptions & { location?: ErrorLocation | undefined } = {},
  ) {
    super(message, options)
    this.location = options.location
  }
}
