/** What went wrong, as a stable code to branch on. */
export type MetricsErrorCode =
  | 'INVALID_OPTIONS'
  | 'NAME_TAKEN'
  | 'INVALID_LABELS'
  | 'INVALID_VALUE'
  | 'INVALID_EXEMPLAR'
  | 'INVALID_SNAPSHOT'

/** The one error this package throws: a misuse that the caller can correct. */
export class MetricsError extends Error {
  /** Always `MetricsError`. */
  override readonly name = 'MetricsError'

  constructor(
    /** What went wrong, as a stable code to branch on. */
    readonly code: MetricsErrorCode,
    message: string,
    /** Data about the mistake, such as the metric and what was expected. */
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
