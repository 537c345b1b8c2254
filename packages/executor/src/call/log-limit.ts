import type { RawLog } from './call.js'

/** The last line of a log that reached its limit. */
export function logLimitNotice(maxLogBytes: number): RawLog {
  return {
    level: 'warn',
    message: `The log of this call reached its limit of ${maxLogBytes} bytes; what follows is dropped`,
    time: Date.now(),
    fieldsJson: undefined,
  }
}
