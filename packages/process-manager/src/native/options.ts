import { ProcessManagerError } from '../errors.js'
import {
  checkWarmPoolOptions,
  WARM_POOL_DEFAULTS,
  type WarmPoolOptions,
} from '../warm-pool/options.js'

/** How the daemon works; counts when this engine is the one that starts it. */
export interface DaemonOptions {
  /** Processes that wait to become services. */
  warmPool?: WarmPoolOptions
  /**
   * A service's log is set aside when it would grow larger than this.
   * @default 10_485_760 (10 MiB)
   */
  maxLogBytes?: number
  /**
   * Logs that were set aside and are kept, for each service.
   * @default 4
   */
  maxOldLogs?: number
  /**
   * The daemon ends after this time without a running service and a client; the next command starts it. 0 for never.
   * @default 600_000
   */
  idleExitMs?: number
}

/** Options of `NativeEngine`. */
export interface NativeEngineOptions {
  /**
   * The directory that holds the state of every service.
   * @default NEXUS_HOME, else $XDG_STATE_HOME/nexus, else ~/.nexus
   */
  home?: string
  /**
   * How long the daemon may take to say that it has received a request, and to start.
   * @default 5000
   */
  requestTimeoutMs?: number
  /**
   * How long a service may take to accept work.
   * @default 30_000
   */
  startTimeoutMs?: number
  /** Settings of a daemon that this engine starts. */
  daemon?: DaemonOptions
}

export const DAEMON_DEFAULTS: Required<Omit<DaemonOptions, 'warmPool'>> = {
  maxLogBytes: 10 * 2 ** 20,
  maxOldLogs: 4,
  idleExitMs: 600_000,
}

/** Every number an engine takes, with the least it may be. Checked by hand: the engine loads nothing to start fast. */
const LEAST = { requestTimeoutMs: 1, startTimeoutMs: 1 }
const LEAST_OF_DAEMON = { maxLogBytes: 1, maxOldLogs: 0, idleExitMs: 0 }

/** @throws ProcessManagerError `INVALID_OPTIONS` */
export function checkNativeOptions({ home, daemon = {}, ...numbers }: NativeEngineOptions): void {
  const { warmPool = {}, ...ofDaemon } = daemon
  checkWarmPoolOptions({ ...WARM_POOL_DEFAULTS, ...warmPool })
  if (home !== undefined && (typeof home !== 'string' || home === '')) {
    throw invalid('home', 'a directory', home)
  }
  checkNumbers(numbers, LEAST, '')
  checkNumbers(ofDaemon, LEAST_OF_DAEMON, 'daemon.')
}

function checkNumbers(given: object, least: Readonly<Record<string, number>>, prefix: string) {
  for (const [key, value] of Object.entries(given)) {
    const from = least[key]
    if (from === undefined) {
      throw invalid(`${prefix}${key}`, `one of ${Object.keys(least).join(', ')}`, value)
    }
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= from && value < 2 ** 31)) {
      throw invalid(`${prefix}${key}`, `a whole number from ${from}`, value)
    }
  }
}

function invalid(option: string, expected: string, got: unknown) {
  return new ProcessManagerError(
    'INVALID_OPTIONS',
    `NativeEngine: expected ${option} to be ${expected}, got ${JSON.stringify(got)}.`,
    { details: { option } },
  )
}
