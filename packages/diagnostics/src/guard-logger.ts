import { describeThrown } from './describe-thrown.js'
import { EXPECTED_LOGGER, isLogger, type Logger } from './logger.js'
import { silentLogger } from './silent-logger.js'

/**
 * The logger that a library writes to: the given one, or none. An entry that it cannot write is dropped, and the process is
 * warned once: logging never fails what it is about.
 *
 * @throws TypeError when it is no logger
 *
 * @example
 * ```ts
 * const logger = guardLogger(options.logger)
 * logger.warn({ file }, 'the file is damaged')
 * ```
 */
export function guardLogger(logger: Logger | undefined): Logger {
  if (logger === undefined || logger === silentLogger) return silentLogger
  if (guarded.has(logger)) return logger
  if (!isLogger(logger)) {
    throw new TypeError(`logger: ${EXPECTED_LOGGER}`)
  }
  let isWarned = false
  const write = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message)
    } catch (error) {
      if (isWarned) return
      isWarned = true
      const why = describeThrown(error).message
      globalThis.process?.emitWarning?.(`the logger threw: ${why}`, 'NexusLoggerWarning')
    }
  }
  const result: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
  guarded.add(result)
  return result
}

const guarded = new WeakSet<Logger>()
