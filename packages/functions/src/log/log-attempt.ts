import type { Logger } from '@nexus/diagnostics'
import type { FunctionAttempt } from '../run/function-attempt.js'

/** Logs how an attempt ended; what the function itself logged is with the event. */
export function logAttempt(logger: Logger, attempt: FunctionAttempt): void {
  const { event, durationMs, status, error, metrics } = attempt
  const fields = {
    function: attempt.function,
    ...{ eventId: event.id, type: event.type, attempt: attempt.attempt },
    durationMs: Number(durationMs.toFixed(2)),
  }
  if (status === 'success') logger.info(fields, 'function succeeded')
  else if (status === 'suspended') logger.info(fields, 'function suspended')
  else logger.warn({ ...fields, code: error?.code, reason: error?.message }, 'function failed')
  if (metrics) {
    const { cacheTier, queueWaitUs, memoryUsedBytes } = metrics
    logger.debug({ function: attempt.function, cacheTier, queueWaitUs, memoryUsedBytes }, 'call')
  }
}
