import type { CallFailure } from './call.js'

/** The call was on a thread that ended, or that cannot be started. */
export function threadFailure(message: string): CallFailure {
  return { code: 'INTERNAL_ERROR', report: { name: 'ThreadError', message } }
}

/** The runtime did not wait for the call to end. */
export function shutdownFailure(): CallFailure {
  return threadFailure('The runtime was shut down before the call had ended')
}

/** @param waiting calls that wait for a thread already */
export function queueFullFailure(waiting: number): CallFailure {
  return {
    code: 'POOL_EXHAUSTED',
    report: {
      name: 'QueueFullError',
      message: `${waiting} calls already wait for a thread; send less at once, or raise maxQueue or threads`,
    },
  }
}
