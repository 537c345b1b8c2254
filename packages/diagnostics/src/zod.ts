import { z } from 'zod'
import { guardLogger } from './guard-logger.js'
import { EXPECTED_LOGGER, isLogger, type Logger } from './logger.js'

/**
 * Checks the option `logger` of a library that checks its options with zod; without one nothing is logged.
 *
 * @example
 * ```ts
 * const options = z.strictObject({ logger: loggerSchema })
 * ```
 */
export const loggerSchema = z
  .custom<Logger>(isLogger, EXPECTED_LOGGER)
  .optional()
  .transform(guardLogger)
