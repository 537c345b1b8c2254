import type { RawLog } from '../call/call.js'

/** A line holds more than its text wherever it is stored: of short lines, this many in any case. */
const MIN_LINES = 1000
const BYTES_PER_LINE = 64

/** How many lines a log may have. */
export function maxLogLines(maxLogBytes: number): number {
  return Math.max(MIN_LINES, Math.floor(maxLogBytes / BYTES_PER_LINE))
}

/** The last line of a log that reached its limit. */
export function logLimitNotice(maxLogBytes: number): RawLog {
  return {
    level: 'warn',
    message: `The log of this call reached its limit of ${maxLogBytes} bytes or ${maxLogLines(maxLogBytes)} lines; the rest is dropped`,
    time: Date.now(),
    fieldsJson: undefined,
  }
}
