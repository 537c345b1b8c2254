/**
 * Where a Nexus library says what happens: each entry is an object of fields and a message. A `pino` logger is one.
 *
 * @example
 * ```ts
 * import { pino } from 'pino'
 *
 * const logger: Logger = pino()
 * logger.info({ function: 'orders', bytes: 5120 }, 'compiled and cached')
 * ```
 */
export interface Logger {
  /** What helps to find a mistake. */
  debug(fields: object, message: string): void
  /** What happens in the normal course of things. */
  info(fields: object, message: string): void
  /** What its operator should know; nothing stopped because of it. */
  warn(fields: object, message: string): void
  /** What was lost or cannot go on. */
  error(fields: object, message: string): void
}

/** What a value is expected to be that is no logger. */
export const EXPECTED_LOGGER = 'expected an object with debug, info, warn and error, such as pino()'

/** Whether a value has the four methods of a {@link Logger}. */
export function isLogger(value: unknown): value is Logger {
  const levels = ['debug', 'info', 'warn', 'error'] as const
  const methods = value as Partial<Record<(typeof levels)[number], unknown>> | null | undefined
  return levels.every((level) => typeof methods?.[level] === 'function')
}
