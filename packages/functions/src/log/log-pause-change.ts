import type { Logger } from '@nexus/diagnostics'
import type { FunctionPauseChange } from '../pause/function-pause.js'

/** Logs that a function was paused or resumed. */
export function logPauseChange(
  logger: Logger,
  { function: name, paused }: FunctionPauseChange,
): void {
  if (paused === undefined) {
    logger.info({ function: name }, 'function resumed')
    return
  }
  const { at, by, reason } = paused
  logger.warn(
    { function: name, at, by, ...(reason !== undefined && { reason }) },
    'function paused',
  )
}
