/** What went wrong, as a stable code to branch on. */
export type PerformanceErrorCode =
  | 'INVALID_OPTIONS'
  | 'INVALID_METRIC'
  | 'METRIC_NOT_FOUND'
  | 'PROFILING_DISABLED'
  | 'PROFILING_ALREADY_IN_PROGRESS'
  | 'PROFILING_NOT_STARTED'
  | 'OPTIMIZATION_NOT_FOUND'
  | 'OPTIMIZATION_NOT_APPLICABLE'
  | 'CLIENT_CLOSED'

/** The base class of every error of this package. */
export class PerformanceError extends Error {
  /** Name of the class. */
  override readonly name: string = 'PerformanceError'

  constructor(
    /** What went wrong, as a stable code to branch on. */
    readonly code: PerformanceErrorCode,
    message: string,
    /** Data about the mistake. */
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** A metric that cannot be recorded. */
export class InvalidMetricError extends PerformanceError {
  /** Always `InvalidMetricError`. */
  override readonly name = 'InvalidMetricError'

  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('INVALID_METRIC', message, details)
  }
}

/** No metric of this id is kept any more. */
export class MetricNotFoundError extends PerformanceError {
  /** Always `MetricNotFoundError`. */
  override readonly name = 'MetricNotFoundError'

  constructor(
    /** The id that was asked for. */
    readonly id: string,
  ) {
    super('METRIC_NOT_FOUND', `No metric has the id "${id}". It may be older than the retention.`, {
      id,
    })
  }
}

/** One profile is taken at a time. */
export class ProfilingAlreadyInProgressError extends PerformanceError {
  /** Always `ProfilingAlreadyInProgressError`. */
  override readonly name = 'ProfilingAlreadyInProgressError'

  constructor() {
    super('PROFILING_ALREADY_IN_PROGRESS', 'A profile is being taken. Call stopProfiling() first.')
  }
}

/** There is no profile to stop. */
export class ProfilingNotStartedError extends PerformanceError {
  /** Always `ProfilingNotStartedError`. */
  override readonly name = 'ProfilingNotStartedError'

  constructor() {
    super('PROFILING_NOT_STARTED', 'No profile is being taken. Call startProfiling() first.')
  }
}

/** No optimization of this id is suggested. */
export class OptimizationNotFoundError extends PerformanceError {
  /** Always `OptimizationNotFoundError`. */
  override readonly name = 'OptimizationNotFoundError'

  constructor(
    /** The id that was asked for. */
    readonly id: string,
  ) {
    super('OPTIMIZATION_NOT_FOUND', `No optimization has the id "${id}". See getOptimizations().`, {
      id,
    })
  }
}

/** The optimization is advice for people, or is in a state that does not allow this. */
export class OptimizationNotApplicableError extends PerformanceError {
  /** Always `OptimizationNotApplicableError`. */
  override readonly name = 'OptimizationNotApplicableError'

  constructor(
    /** The id of the optimization. */
    readonly id: string,
    reason: string,
  ) {
    super('OPTIMIZATION_NOT_APPLICABLE', `The optimization "${id}" ${reason}`, { id })
  }
}
