import { describeThrown } from '@nexus/functions'

/** Tells the one who runs the server what failed. It never fails itself, whatever was thrown. */
export type FaultReporter = (thrown: unknown) => void

/** Hands failures to `onFault`, which is not ours: what it throws or rejects with is a warning of the process. */
export function faultReporter(onFault: (error: Error) => void): FaultReporter {
  return (thrown) => {
    const told = new Promise<void>((done) => done(onFault(asError(thrown))))
    told.catch((error) => {
      process.emitWarning(`onFault failed: ${describeThrown(error).message}`, 'NexusWarning')
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
