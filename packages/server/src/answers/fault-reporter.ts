import { describeThrown, type Logger } from '@nexus/diagnostics'

/** Tells the one who runs the server what failed. It never fails itself, whatever was thrown. */
export type FaultReporter = (thrown: unknown) => void

/** Logs failures, and hands them to `onFault`, which is not ours: what it throws or rejects with is logged too. */
export function faultReporter(logger: Logger, onFault: (error: Error) => void): FaultReporter {
  return (thrown) => {
    const { code, message, stack } = describeThrown(thrown)
    // An error with a code says all in its message.
    const fields = { code, reason: message, ...(code === undefined && { stack }) }
    logger.error(fields, 'a request failed through a fault of the server')
    const told = new Promise<void>((done) => done(onFault(asError(thrown))))
    told.catch((error) => {
      logger.error({ reason: describeThrown(error).message }, 'onFault failed')
    })
  }
}

function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A proxy may refuse even this question.
  }
  return new Error(describeThrown(thrown).message, { cause: thrown })
}
